// Compiled by the benchmark: much of the standard library, and templates with some code behind them.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

template <int N> struct Chain {
    std::map<std::string, std::vector<int>> groups;
    Chain<N - 1> rest;
    void add(const std::string &key, int value) {
        groups[key + std::to_string(N)].push_back(value);
        rest.add(key, value - N);
    }
    long sum() const {
        long total = rest.sum();
        for (auto &group : groups)
            for (int value : group.second)
                total += value % (N + 1);
        return total;
    }
};

template <> struct Chain<0> {
    void add(const std::string &, int) {}
    long sum() const {
        return 0;
    }
};

struct Shape {
    virtual ~Shape() = default;
    virtual double area() const = 0;
};

template <int N> struct Polygon : Shape {
    double side = N;
    double area() const override {
        return N * side * side / 4;
    }
};

long work(const std::string &text) {
    Chain<8> chain;
    std::regex word("([a-z]+)([0-9]*)");
    for (std::sregex_iterator i(text.begin(), text.end(), word), end; i != end; ++i)
        chain.add((*i)[1], static_cast<int>((*i)[2].length()));
    std::unordered_map<std::string, std::function<double(double)>> functions;
    functions["twice"] = [](double x) { return 2 * x; };
    functions["square"] = [](double x) { return x * x; };
    std::vector<std::unique_ptr<Shape>> shapes;
    shapes.push_back(std::make_unique<Polygon<3>>());
    shapes.push_back(std::make_unique<Polygon<4>>());
    shapes.push_back(std::make_unique<Polygon<6>>());
    std::sort(shapes.begin(), shapes.end(), [](auto &a, auto &b) { return a->area() < b->area(); });
    std::ostringstream out;
    for (auto &shape : shapes)
        out << functions["square"](shape->area());
    return chain.sum() + static_cast<long>(out.str().size());
}
