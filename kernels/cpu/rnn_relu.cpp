#include "sequence.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {
UNROLLED_SEQUENCE_OF(CellKind::rnn_relu)
}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
