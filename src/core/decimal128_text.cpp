// Text forms of decimals, and conversion to and from double.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "core/decimal128.hpp"
#include "core/decimal128_bid.hpp"

namespace tombolo {

namespace {

using bid::Parts;
using bid::U128;
using bid::U256;

char lower(char character) noexcept {
    return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a')
                                                : character;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) noexcept {
    return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                      [](char a, char b) { return lower(a) == b; });
}

bool is_digit(char character) noexcept {
    return character >= '0' && character <= '9';
}

/// Far beyond every exponent that matters, far below overflow.
constexpr std::int64_t exponent_saturation = 1'000'000'000'000;

/// Digits kept of a long text; the rest only matters by not being all zeros.
constexpr int parsed_digits_max = 70;

Error bad_number() {
    return Error(ErrorCode::bad_number,
                 "text is not a decimal number: expected digits with an optional sign, point and "
                 "exponent, or Infinity or NaN");
}

/// The significant digits of a text as they are read.
struct Digits {
    U256 coefficient = 0;
    int count = 0;             ///< digits in the coefficient
    std::int64_t exponent = 0; ///< of the coefficient's last digit
    bool sticky = false;       ///< non-zero digits followed the last one kept

    void append(char digit, bool after_point) noexcept {
        const auto value = static_cast<unsigned>(digit - '0');
        if (count >= parsed_digits_max) {
            sticky = sticky || value != 0;
            exponent += after_point ? 0 : 1;
            return;
        }
        coefficient *= 10U;
        coefficient += value;
        count += count > 0 || value != 0 ? 1 : 0;
        exponent -= after_point ? 1 : 0;
    }
};

/// Reads "[+-]digits"; saturates.
bool parse_exponent(std::string_view text, std::int64_t& exponent) noexcept {
    bool negative = false;
    if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
        negative = text[0] == '-';
        text.remove_prefix(1);
    }
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) {
        return false;
    }
    exponent = 0;
    for (const char character : text) {
        exponent = std::min(exponent * 10 + (character - '0'), exponent_saturation);
    }
    exponent = negative ? -exponent : exponent;
    return true;
}

/// Any double in decimal digits: 2^1024 * 5^1074 / ... needs 53 bits times 5^1074 (2494 bits).
using Wide = bid::Unsigned<2560>;

/// The digits of `value`, rounded to fit 256 bits with a sticky bit.
Decimal128 round_wide(bool negative, Wide value, int exponent) noexcept {
    bool sticky = false;
    const auto bits = static_cast<int>(bid::mp::msb(value)) + 1;
    if (bits > 250) {
        // Drop whole digits until 240 bits (72 digits) remain at least.
        const int dropped = static_cast<int>(static_cast<long>(bits - 240) * 30103 / 100000);
        Wide rest;
        Wide kept;
        bid::mp::divide_qr(value, Wide(bid::mp::pow(Wide(10U), static_cast<unsigned>(dropped))),
                           kept, rest);
        sticky = rest != 0;
        value = kept;
        exponent += dropped;
    }
    return bid::round(negative, static_cast<U256>(value), exponent, sticky);
}

std::string digits_of(U128 coefficient) {
    std::array<char, 40> buffer{};
    std::size_t begin = buffer.size();
    do {
        buffer[--begin] = static_cast<char>('0' + static_cast<unsigned>(coefficient % 10U));
        coefficient /= 10U;
    } while (coefficient != 0);
    return std::string(buffer.data() + begin, buffer.size() - begin);
}

} // namespace

Result<Decimal128> Decimal128::parse(std::string_view text) {
    const bool negative = !text.empty() && text[0] == '-';
    if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
        text.remove_prefix(1);
    }
    if (equals_ignoring_case(text, "infinity") || equals_ignoring_case(text, "inf")) {
        return bid::infinity(negative);
    }
    if (equals_ignoring_case(text, "nan")) {
        return bid::nan();
    }
    Digits digits;
    bool any_digit = false;
    bool after_point = false;
    std::size_t i = 0;
    for (; i < text.size(); ++i) {
        if (is_digit(text[i])) {
            any_digit = true;
            digits.append(text[i], after_point);
        } else if (text[i] == '.' && !after_point) {
            after_point = true;
        } else {
            break;
        }
    }
    std::int64_t exponent = 0;
    if (i < text.size()) {
        if (lower(text[i]) != 'e' || !parse_exponent(text.substr(i + 1), exponent)) {
            return bad_number();
        }
    }
    if (!any_digit) {
        return bad_number();
    }
    // Beyond +-20000 every coefficient of up to 70 digits rounds to zero or infinity.
    const auto clamped =
        static_cast<int>(std::clamp<std::int64_t>(exponent + digits.exponent, -20'000, 20'000));
    return bid::round(negative, digits.coefficient, clamped, digits.sticky);
}

std::string Decimal128::to_string() const {
    if (is_nan()) {
        return "NaN";
    }
    std::string text = is_negative() ? "-" : "";
    if (is_infinite()) {
        return text + "Infinity";
    }
    const Parts parts = bid::unpack(*this);
    const std::string digits = digits_of(parts.coefficient);
    const int digit_count = static_cast<int>(digits.size());
    const int adjusted = parts.exponent + digit_count - 1;
    if (parts.exponent > 0 || adjusted < -6) {
        text += digits[0];
        if (digit_count > 1) {
            text += '.';
            text.append(digits, 1);
        }
        text += adjusted < 0 ? "E-" : "E+";
        return text + std::to_string(std::abs(adjusted));
    }
    const int whole = digit_count + parts.exponent; // digits before the point
    if (parts.exponent == 0) {
        text += digits;
    } else if (whole > 0) {
        text.append(digits, 0, static_cast<std::size_t>(whole));
        text += '.';
        text.append(digits, static_cast<std::size_t>(whole));
    } else {
        text += "0.";
        text.append(static_cast<std::size_t>(-whole), '0');
        text += digits;
    }
    return text;
}

Decimal128 Decimal128::from_double(double value) noexcept {
    if (std::isnan(value)) {
        return bid::nan();
    }
    const bool negative = std::signbit(value);
    if (std::isinf(value)) {
        return bid::infinity(negative);
    }
    if (value == 0) {
        return bid::pack({negative, 0, 0});
    }
    int exponent = 0;
    auto mantissa =
        static_cast<std::uint64_t>(std::ldexp(std::frexp(std::fabs(value), &exponent), 53));
    exponent -= 53;
    while (mantissa % 2 == 0 && exponent < 0) {
        mantissa /= 2;
        ++exponent;
    }
    // m * 2^-k = m * 5^k * 10^-k
    if (exponent < 0) {
        const auto power = static_cast<unsigned>(-exponent);
        return round_wide(negative, Wide(mantissa) * bid::mp::pow(Wide(5U), power), exponent);
    }
    return round_wide(negative, Wide(mantissa) << static_cast<unsigned>(exponent), 0);
}

double Decimal128::to_double() const noexcept {
    if (is_nan()) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    const double sign = is_negative() ? -1.0 : 1.0;
    if (is_infinite()) {
        return sign * std::numeric_limits<double>::infinity();
    }
    const Parts parts = bid::unpack(*this);
    if (parts.coefficient == 0) {
        return sign * 0.0;
    }
    // from_chars rounds correctly; it says out_of_range for what is too large and too small alike.
    std::array<char, 64> buffer{};
    U128 rest = parts.coefficient;
    char* begin = buffer.data() + 40;
    while (rest != 0) {
        *--begin = static_cast<char>('0' + static_cast<unsigned>(rest % 10U));
        rest /= 10U;
    }
    char* end = buffer.data() + 40;
    *end++ = 'e';
    end = std::to_chars(end, buffer.data() + buffer.size(), parts.exponent).ptr;
    double magnitude = 0;
    if (std::from_chars(begin, end, magnitude).ec == std::errc::result_out_of_range) {
        magnitude = parts.exponent + bid::digit_count(parts.coefficient) > 0
                        ? std::numeric_limits<double>::infinity()
                        : 0.0;
    }
    return sign * magnitude;
}

} // namespace tombolo
