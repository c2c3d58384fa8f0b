// C++: exceptions, inheritance, the standard library.

#include "cases.h"
#include <algorithm>
#include <complex>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

static int alive;
struct Counted {
    Counted() { alive++; }
    Counted(const Counted &) { alive++; }
    ~Counted() { alive--; }
};

[[gnu::noinline]] static int fall(int depth) {
    Counted counted;
    if (depth == 0) throw std::out_of_range("deep");
    return fall(depth - 1) + 1;
}
CASE(exceptions_through_frames) {
    for (int depth = 0; depth < 60; depth++) {
        bool caught = false;
        try {
            fall(depth);
        } catch (const std::logic_error &error) {
            caught = std::string(error.what()) == "deep";
        }
        CHECK(caught && alive == 0);
    }
    return 0;
}
CASE(exceptions_rethrown) {
    int level = 0;
    try {
        try {
            try {
                throw 42;
            } catch (const char *) {
                CHECK(false);
            }
        } catch (int value) {
            level = value;
            throw;
        }
    } catch (...) {
        level++;
    }
    CHECK(level == 43);
    std::exception_ptr kept;
    try {
        throw std::runtime_error("kept");
    } catch (...) {
        kept = std::current_exception();
    }
    try {
        std::rethrow_exception(kept);
    } catch (const std::runtime_error &error) {
        CHECK(std::string(error.what()) == "kept");
    }
    return 0;
}
CASE(exceptions_of_library) {
    int caught = 0;
    try { std::vector<int>().at(1); } catch (const std::out_of_range &) { caught++; }
    try { (void)std::stoi("x"); } catch (const std::invalid_argument &) { caught++; }
    try { std::string("x").substr(9); } catch (const std::out_of_range &) { caught++; }
    try { (void)std::get<int>(std::variant<int, double>(1.5)); } catch (const std::bad_variant_access &) { caught++; }
    try { std::function<void()>()(); } catch (const std::bad_function_call &) { caught++; }
    try { volatile std::size_t huge = (std::size_t)-1 / 4; char *volatile kept = new char[huge]; delete[] kept; } catch (const std::bad_alloc &) { caught++; }
    CHECK(caught == 6);
    return 0;
}
struct Nested { ~Nested() noexcept(false) { if (!std::uncaught_exceptions()) throw 1; } };
CASE(exceptions_in_destructors) {
    int caught = 0;
    try { Nested nested; } catch (int) { caught++; }
    try { Nested nested; throw 2.5; } catch (double) { caught++; }
    CHECK(caught == 2);
    return 0;
}
CASE(exceptions_across_threads) {
    auto future = std::async(std::launch::async, [] { return fall(5); });
    bool caught = false;
    try { future.get(); } catch (const std::out_of_range &) { caught = true; }
    CHECK(caught);
    return 0;
}

struct Base { virtual ~Base() = default; virtual int id() const { return 1; } };
struct Left : virtual Base { int l = 10; int id() const override { return l + 1; } };
struct Right : virtual Base { int r = 20; };
struct Both : Left, Right { int id() const override { return Left::id() + r; } };
CASE(inheritance) {
    std::unique_ptr<Base> base = std::make_unique<Both>();
    CHECK(base->id() == 31 && dynamic_cast<Right *>(base.get())->r == 20 && dynamic_cast<Left *>(base.get()) != nullptr);
    Left left;
    Base &plain = left;
    bool caught = false;
    try { (void)dynamic_cast<Right &>(plain); } catch (const std::bad_cast &) { caught = true; }
    CHECK(caught);
    return (uint64_t)base->id();
}
CASE(member_pointers) {
    int (Base::*member)() const = &Base::id;
    int Both::*data = &Both::r;
    Both both;
    both.*data = 5;
    return (uint64_t)(both.*member)();
}

template <class Container> static uint64_t hash_of(const Container &container) {
    uint64_t hash = HASH_START;
    for (const auto &value : container) hash = mixed(hash, (uint64_t)value);
    return hash;
}
CASE(sorting) {
    std::vector<uint32_t> values(3000);
    for (auto &value : values) value = (uint32_t)next_random() % 1000;
    auto stable = values;
    std::sort(values.begin(), values.end());
    std::stable_sort(stable.begin(), stable.end(), std::greater<>());
    std::reverse(stable.begin(), stable.end());
    CHECK(values == stable && std::is_sorted(values.begin(), values.end()));
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return hash_of(values);
}
CASE(maps) {
    std::map<std::string, int> tree;
    std::unordered_map<std::string, int> table;
    for (int i = 0; i < 2000; i++) {
        auto key = std::to_string(next_random() % 500);
        tree[key] += i;
        table[key] += i;
    }
    uint64_t hash = HASH_START;
    for (const auto &[key, value] : tree) {
        CHECK(table.at(key) == value);
        hash = mixed(mixed(hash, key.size()), (uint64_t)value);
    }
    return hash;
}
CASE(sets) {
    std::set<uint64_t> set;
    for (int i = 0; i < 3000; i++) {
        set.insert(next_random() % 700);
        set.erase(next_random() % 700);
    }
    return hash_of(set);
}
CASE(streams) {
    std::ostringstream out;
    for (int i = 0; i < 200; i++) out << i << ' ' << i * 0.25 << ' ' << std::hex << i * 77 << std::dec << " s" << i << '\n';
    std::istringstream in(out.str());
    uint64_t hash = HASH_START;
    for (int i = 0; i < 200; i++) {
        int a, c;
        double b;
        std::string s;
        in >> a >> b >> std::hex >> c >> std::dec >> s;
        CHECK(a == i && b == i * 0.25 && c == i * 77 && s == "s" + std::to_string(i));
        hash = mixed(hash, (uint64_t)c);
    }
    return hash;
}
CASE(regular_expressions) {
    std::string text = "one 12, two 345, three 6789; x=0xff";
    uint64_t hash = HASH_START;
    const std::regex words("([a-z]+) ([0-9]+)");
    for (std::sregex_iterator at(text.begin(), text.end(), words), end; at != end; ++at)
        hash = mixed(hash, std::stoull((*at)[2].str()) * (*at)[1].str().size());
    CHECK(std::regex_search(text, std::regex("0x[[:xdigit:]]+$")));
    return hash;
}
CASE(random_numbers) {
    std::mt19937_64 generator(12345);
    uint64_t hash = HASH_START;
    for (int i = 0; i < 1000; i++) hash = mixed(hash, generator());
    return hash;
}
CASE(complex_numbers) {
    std::complex<double> z(0.25, -0.5), sum = 0;
    for (int i = 0; i < 100; i++) {
        z = z * z + std::complex<double>(-0.4, 0.3);
        sum += z / std::complex<double>(2, 1);
    }
    CHECK(std::abs(std::sqrt(z) * std::sqrt(z) - z) < 1e-14);
    return (uint64_t)(int64_t)(sum.real() * 1e6);
}
CASE(closures) {
    std::vector<std::function<uint64_t(uint64_t)>> functions;
    for (uint64_t i = 0; i < 20; i++) functions.push_back([i, name = std::string(i, 'x')](uint64_t x) { return x * 3 + i + name.size(); });
    return std::accumulate(functions.begin(), functions.end(), (uint64_t)1, [](uint64_t x, const auto &f) { return f(x); });
}
CASE(shared_pointers) {
    auto shared = std::make_shared<Counted>();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++)
        threads.emplace_back([shared] {
            for (int k = 0; k < 2000; k++) {
                auto copy = shared;
                std::weak_ptr<Counted> weak = copy;
                CHECK(weak.lock() != nullptr);
            }
        });
    for (auto &thread : threads) thread.join();
    threads.clear();
    CHECK(shared.use_count() == 1 && alive == 1);
    shared.reset();
    CHECK(alive == 0);
    return 0;
}
CASE(statics) {
    static int made = 0;
    struct Once { Once() { made++; } };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++) threads.emplace_back([] { static Once once; (void)once; });
    for (auto &thread : threads) thread.join();
    CHECK(made == 1);
    return 0;
}
