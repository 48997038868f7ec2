// Eight threads that recurse, allocate, throw and catch at random depths.
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

unsigned next(unsigned &seed) {
    return seed = seed * 1103515245u + 12345u;
}

struct guard { // its destructor allocates while an exception passes
    std::string text;
    ~guard() {
        text += std::string(100, 'x');
    }
};

__attribute__((noinline)) std::size_t down(unsigned &seed, int depth) {
    guard local{std::string(40 + next(seed) / 65536 % 100, 'a')};
    std::unique_ptr<int[]> block(new int[1 + next(seed) / 65536 % 50]);
    if (depth == 0 || next(seed) / 65536 % 40 == 0)
        throw std::runtime_error(local.text);
    return down(seed, depth - 1) + local.text.size();
}

std::size_t work(unsigned seed) {
    std::size_t sum = 0;
    for (int i = 0; i < 1000; i++) {
        try {
            sum += down(seed, static_cast<int>(next(seed) / 65536 % 30));
        } catch (const std::exception &e) {
            sum += std::string(e.what()).size();
        }
    }
    return sum;
}

} // namespace

int main() {
    std::vector<std::thread> threads;
    std::vector<std::size_t> sums(8);
    for (unsigned i = 0; i < sums.size(); i++)
        threads.emplace_back([i, &sums] { sums[i] = work(i + 1); });
    for (auto &thread : threads)
        thread.join();
    return sums[0] == 0;
}
