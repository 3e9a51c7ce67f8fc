#include "sequence.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {
UNROLLED_SEQUENCE_OF(CellKind::lstm)
}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
