#!/bin/sh
# bench_symbolize_sample.sh FOLDER [UNITS]: builds FOLDER/sample, a C++ program with about 7 MB of debug information for each of
# its UNITS (16) compilation units; it takes some minutes. Does nothing where it is already there.
set -eu
folder=$1 units=${2:-16} types=20
mkdir -p "$folder"
cd "$folder"
[ ! -x sample ] || exit 0

# One unit: each type brings its own instances of the standard containers, lambdas and a local class.
unit() {
    printf '#include <%s>\n' algorithm functional map memory sstream string unordered_map vector
    echo "namespace unit$1 {"
    type=0
    while [ $type -lt $types ]; do
        cat <<END
struct Item$type {
    std::string name;
    std::vector<int> values;
    bool operator<(const Item$type &other) const { return name < other.name; }
};
class Store$type {
    std::map<std::string, Item$type> by_name;
    std::unordered_map<int, std::shared_ptr<Item$type>> by_key;
    std::vector<Item$type> all;

  public:
    void add(const std::string &name, int key) {
        Item$type item;
        item.name = name;
        item.values.assign(size_t(key), key);
        by_name.emplace(name, item);
        by_key[key] = std::make_shared<Item$type>(item);
        all.push_back(item);
    }
    int total() const {
        int sum = 0;
        std::for_each(all.begin(), all.end(), [&sum](const Item$type &item) {
            for (int value : item.values)
                sum += value;
        });
        return sum;
    }
    std::string text() const {
        std::ostringstream out;
        for (const auto &pair : by_name)
            out << pair.first << ' ' << pair.second.values.size();
        return out.str();
    }
    void order() { std::sort(all.begin(), all.end()); }
};
int use$type(int count) {
    struct Local {
        static std::string name(int length) { return std::string(size_t(length), 'x'); }
    };
    Store$type store;
    for (int i = 0; i < count; i++)
        store.add(Local::name(i), i);
    store.order();
    std::function<int()> later = [&store] { return store.total(); };
    return later() + int(store.text().size());
}
END
        type=$((type + 1))
    done
    echo "}"
    echo "int run_unit$1(int count) { int sum = 0;"
    type=0
    while [ $type -lt $types ]; do
        echo "sum += unit$1::use$type(count);"
        type=$((type + 1))
    done
    echo "return sum; }"
}

number=0
: >main.cc
while [ $number -lt "$units" ]; do
    unit $number >unit$number.cc
    echo "int run_unit$number(int);" >>main.cc
    calls="${calls:-} + run_unit$number(count)"
    number=$((number + 1))
done
echo "int main(int count, char **) { return 0$calls; }" >>main.cc
printf '%s\n' ./*.cc | xargs -P "$(nproc)" -n 1 c++ -g -O2 -c
c++ -o sample ./*.o
rm -f ./*.o ./*.cc
