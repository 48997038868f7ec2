// C++ frames: captures inside destructors that run while an exception passes, in handlers, and deep in templates.
#include "unwind_judge.h"

#include <functional>
#include <map>
#include <stdexcept>
#include <string>

namespace {

struct judged_on_exit {
    std::string text;
    ~judged_on_exit() {
        judge();
        __asm__ volatile("" ::: "memory");
    }
};

__attribute__((noinline)) int thrower(int depth) {
    judged_on_exit here{std::string(static_cast<std::size_t>(depth), 'x')};
    if (depth == 0)
        throw std::runtime_error("thrown");
    return thrower(depth - 1) + static_cast<int>(here.text.size());
}

} // namespace

extern "C" int exceptions_pass(int depth) {
    int caught = 0;
    try {
        thrower(depth);
    } catch (const std::runtime_error &) {
        judge();
        caught++;
    }
    std::map<int, std::function<void()>> calls;
    for (int i = 0; i < 10; i++)
        calls[i] = [i] {
            if (i % 2)
                judge();
        };
    for (auto &call : calls)
        call.second();
    return caught;
}
