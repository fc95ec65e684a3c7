// A translation unit that is mostly the standard library: what a C++ compiler spends its memory on.
#include <algorithm>
#include <deque>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

using Value = std::variant<int, double, std::string, std::vector<std::string>>;

struct Record {
    std::string name;
    std::map<std::string, Value> fields;
    std::shared_ptr<Record> parent;
};

static std::vector<Record> parse(std::istream &input)
{
    std::vector<Record> records;
    std::string text;

    while (std::getline(input, text)) {
        Record record;

        std::istringstream parts(text);

        for (std::string part; std::getline(parts, part, ';');) {
            auto equals = std::min(part.find('='), part.size());
            record.fields.emplace(part.substr(0, equals), part.substr(equals));
        }
        records.push_back(std::move(record));
    }
    return records;
}

int main()
{
    std::unordered_map<std::string, std::set<int>> index;
    std::deque<std::function<int(int)>> steps;
    auto records = parse(std::cin);

    std::sort(records.begin(), records.end(),
              [](const Record &one, const Record &other) { return one.name < other.name; });
    for (auto &record : records) {
        for (auto &[name, value] : record.fields)
            index[name].insert(static_cast<int>(value.index()));
        steps.emplace_back([size = record.fields.size()](int sum) { return sum + int(size); });
    }
    int sum = 0;
    for (auto &step : steps)
        sum = step(sum);
    std::ostringstream out;
    out << sum << ' ' << index.size() << '\n';
    std::cout << out.str();
}
