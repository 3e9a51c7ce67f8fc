#include "team.h"

#include <atomic>
#include <chrono>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace unrolled {

namespace {

using Clock = std::chrono::steady_clock;

// Below these a second thread costs more than it does: sums of products in a whole call, and in one
// step of one row.
constexpr double kWorthAThread = 1e6;
constexpr double kWorthMeeting = 1e4;

// How long the others spin before they do a part that its thread has not begun: some 50
// microseconds, far below the milliseconds after which a scheduler gives the core back.
constexpr int kSpins = 2000;
constexpr auto kKeepAlone = std::chrono::milliseconds(200);

// Until then the threads of this process had to wait for a core.
std::atomic<Clock::rep> crowded_until{0};

void relax() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

struct alignas(64) Part {
    std::atomic<std::int64_t> taken{0};  // steps that someone has begun
    std::atomic<std::int64_t> done{0};   // steps that are finished
    std::atomic<bool> missing{false};    // its thread was not there in time
};

struct Meeting {
    Part parts[kMaxWorkers];
    int count;
    std::int64_t steps;
    void (*work)(void* context, int part, std::int64_t s);
    void* context;
    std::atomic<bool> crowded{false};

    bool try_part(int part, std::int64_t s) {
        std::int64_t expected = s;
        if (!parts[part].taken.compare_exchange_strong(expected, s + 1,
                                                       std::memory_order_acquire)) {
            return false;
        }
        work(context, part, s);
        parts[part].done.store(s + 1, std::memory_order_release);
        return true;
    }

    void attend(int self) {
        for (std::int64_t s = 0; s < steps; ++s) {
            if (try_part(self, s)) parts[self].missing.store(false, std::memory_order_relaxed);
            for (int other = 0; other < count; ++other) wait_for(other, s);
        }
    }

    void wait_for(int other, std::int64_t s) {
        Part& part = parts[other];
        // At first a thread may have to be woken.
        const int patience = s == 0 ? 20 * kSpins : kSpins;
        for (int spins = 0; part.done.load(std::memory_order_acquire) <= s; ++spins) {
            // A part that has begun is soon done, however large it is.
            const bool begun = part.taken.load(std::memory_order_relaxed) > s;
            const bool late = spins > patience || part.missing.load(std::memory_order_relaxed);
            if (late && !begun && try_part(other, s)) {
                part.missing.store(true, std::memory_order_relaxed);
                crowded.store(true, std::memory_order_relaxed);
                return;
            }
            relax();
        }
    }
};

double products_of_a_step(const Extent& extent, int gates) {
    return static_cast<double>(gates) * static_cast<double>(extent.hidden) *
           static_cast<double>(extent.output);
}

}  // namespace

int workers_of(const Extent& extent, int gates) {
    const double all = static_cast<double>(extent.steps) * static_cast<double>(extent.batch) *
                       static_cast<double>(gates) * static_cast<double>(extent.hidden) *
                       static_cast<double>(extent.input + extent.output);
    if (all < kWorthAThread) return 1;
    return extent.threads < kMaxWorkers ? extent.threads : kMaxWorkers;
}

Team team_of(const Extent& extent, int gates, bool whole_rows) {
    const int most = workers_of(extent, gates);
    if (extent.batch >= most) return {most, false};
    if (extent.batch < 1) return {1, false};
    if (whole_rows ||
        products_of_a_step(extent, gates) * static_cast<double>(extent.batch) < kWorthMeeting) {
        return {static_cast<int>(extent.batch), false};
    }
    const std::int64_t blocks = (extent.hidden + 15) / 16;
    return {blocks < most ? static_cast<int>(blocks) : most, true};
}

void in_step(int parts, std::int64_t steps, void (*work)(void* context, int part, std::int64_t s),
             void* context) {
    const bool alone = parts <= 1 || Clock::now().time_since_epoch().count() <
                                         crowded_until.load(std::memory_order_relaxed);
    if (alone) {
        for (std::int64_t s = 0; s < steps; ++s) {
            for (int part = 0; part < parts; ++part) work(context, part, s);
        }
        return;
    }
    Meeting meeting;
    meeting.count = parts;
    meeting.steps = steps;
    meeting.work = work;
    meeting.context = context;
    auto attend = [&meeting](int self) { meeting.attend(self); };
    parallel(parts, attend);
    if (meeting.crowded.load(std::memory_order_relaxed)) {
        crowded_until.store((Clock::now() + kKeepAlone).time_since_epoch().count(),
                            std::memory_order_relaxed);
    }
}

}  // namespace unrolled
