// Names that need their scopes: unnamed namespaces, local classes, lambdas, templates, operators, constructors.
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace shop {
namespace {
struct Widget {
    std::vector<int> parts;
    Widget() : parts(3, 7) {}
    template <class T> __attribute__((noinline)) T grow(T by) {
        auto twice = [by](T more) { return static_cast<T>(reinterpret_cast<long>(std::malloc(size_t(by + more)))); };
        return twice(3) + static_cast<T>(parts.size());
    }
};
} // namespace

__attribute__((noinline)) int outer(int size) {
    struct Local {
        __attribute__((noinline)) static int helper(int x) {
            volatile int kept = x;
            auto inner = [&](int z) __attribute__((noinline)) {
                return int(long(std::malloc(size_t(z + kept))));
            };
            return inner(4) * 2;
        }
    };
    return Local::helper(size) + 1;
}

struct Number {
    int value;
    __attribute__((noinline)) Number operator+(const Number &other) const {
        std::string text(size_t(value), 'x');
        return Number{value + other.value + int(text.size())};
    }
};
} // namespace shop

extern "C" int plain(int size) {
    return int(long(std::malloc(size_t(size)))) + 1;
}

int main(int count, char **) {
    std::vector<int> numbers;
    for (int i = 0; i < count; i++)
        numbers.push_back(i);
    std::map<std::string, int> names{{"one", 1}, {"two", 2}};
    std::function<int(int)> later = [&](int q) { return plain(q) + int(numbers.size()); };
    shop::Widget widget;
    shop::Number sum = shop::Number{1} + shop::Number{2};
    return later(2) + widget.grow(count) + shop::outer(count) + sum.value + names["two"];
}
