// Handles go from thread to thread and are given out again at once; std::thread, joined in another thread than the one
// that made it.
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

static std::atomic<std::thread *> slots[16];
static std::atomic<long> ran;

static void take(std::thread *thread) {
    if (!thread)
        return;
    thread->join();
    delete thread;
}

static void work(unsigned seed) {
    for (int i = 0; i < 150; i++) {
        auto *mine = new std::thread([] { ran++; });
        seed = seed * 1103515245 + 12345;
        take(slots[seed >> 16 & 15].exchange(mine));
    }
}

int main() {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 4; i++)
        threads.emplace_back(work, i);
    for (auto &thread : threads)
        thread.join();
    for (auto &slot : slots)
        take(slot.exchange(nullptr));
    return ran == 600 ? 0 : 1;
}
