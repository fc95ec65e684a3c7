/* Templates enough to keep the compiler busy; the program itself uses most of the containers. */
#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

template <int N> struct chain {
    std::tuple<std::map<int, std::array<char, N>>, std::shared_ptr<chain<N - 1>>> value;
    int depth() const
    {
        return std::get<1>(value) ? 1 + std::get<1>(value)->depth() : 1;
    }
};
template <> struct chain<0> {
    int depth() const
    {
        return 0;
    }
};

int main()
{
    std::map<std::string, std::vector<int>> index;
    std::unordered_map<int, std::list<std::string>> lists;
    std::set<std::tuple<int, std::string>> sorted;
    std::deque<std::variant<int, std::string>> mixed;
    std::ostringstream out;

    for (int i = 0; i < 20000; i++) {
        std::string key = "key" + std::to_string(i * 31 % 997);
        index[key].push_back(i);
        lists[i % 100].push_back(key);
        sorted.emplace(i % 50, key);
        if (i % 2 == 0)
            mixed.emplace_back(i);
        else
            mixed.emplace_front(key);
    }
    for (auto &[key, values] : index)
        out << key << ' ' << values.size() << '\n';
    chain<40> start;
    std::get<1>(start.value) = std::make_shared<chain<39>>();
    std::cout << out.str() << sorted.size() << ' ' << mixed.size() << ' ' << start.depth() << '\n';
}
