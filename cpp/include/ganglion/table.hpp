// Tables of named rows: finding one, and saying which there are.
#pragma once
#include <algorithm>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ganglion {

// The rows of a kernel set's table, which ends with a null name.
template <class Row> std::span<const Row> rows_of(const Row *table) {
    std::size_t count = 0;
    while (table[count].name) ++count;
    return {table, count};
}

// Each name once, in order.
template <class Row> std::vector<std::string> names_of(std::span<const Row> rows) {
    std::vector<std::string> names;
    for (const Row &row : rows)
        if (std::find(names.begin(), names.end(), row.name) == names.end()) names.emplace_back(row.name);
    return names;
}

// `what` is how the message calls it: "activation".
[[noreturn]] inline void throw_unknown(const char *what, std::string_view name, const std::vector<std::string> &known) {
    std::string message = "unknown " + std::string(what) + " '" + std::string(name) + "'; known: ";
    for (const std::string &each : known) message += (&each == known.data() ? "'" : ", '") + each + "'";
    throw std::invalid_argument(message);
}

// The first row with this name; throws std::invalid_argument with the known ones.
template <class Row> const Row &find_row(std::span<const Row> rows, std::string_view name, const char *what) {
    for (const Row &row : rows)
        if (name == row.name) return row;
    throw_unknown(what, name, names_of(rows));
}

} // namespace ganglion
