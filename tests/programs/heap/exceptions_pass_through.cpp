// C++: operator new, containers, and exceptions thrown through frames that allocate.
// outermost: main
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

static int *volatile sink;

__attribute__((noinline)) static void leak_by_new() {
    sink = new int[25]; // LEAK count=50 bytes=5000
}

__attribute__((noinline)) static void thrower(int depth) {
    std::string text(100, 'x');
    if (depth == 0)
        throw std::runtime_error("deep enough, and longer than a short string");
    std::vector<int> numbers(static_cast<size_t>(depth));
    thrower(depth - 1);
}

int main() {
    for (int i = 0; i < 50; i++) {
        try {
            thrower(i % 10);
        } catch (const std::exception &) {
            leak_by_new();
        }
    }
    try {
        std::vector<char> impossible(static_cast<size_t>(-1) / 2);
    } catch (const std::exception &) {
        return 0;
    }
    return 1;
}
