#include "reference/list_loop.hpp"

namespace reference {

void compare_and_shift(std::vector<std::uint32_t>& left, std::vector<std::uint32_t>& right) {
    for (std::uint32_t& row : left) {
        std::uint32_t index = row;
        for (std::uint32_t& column : right) {
            std::uint32_t other = column;
            std::uint32_t other_behind = index <= other ? 1 : 0;
            column = other + other_behind;
            index += 1 - other_behind;
        }
        row = index;
    }
}

} // namespace reference
