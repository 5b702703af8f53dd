#include "mql/expression_decimal.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <boost/multiprecision/cpp_dec_float.hpp>
#include <boost/multiprecision/cpp_int.hpp>
#include <fmt/format.h>

namespace tombolo::mql {

namespace {

using Float = boost::multiprecision::number<boost::multiprecision::cpp_dec_float<60, std::int64_t>>;
using Integer = boost::multiprecision::cpp_int;

Decimal128 parsed(const std::string& text) {
    auto result = Decimal128::parse(text);
    return result ? *result : *Decimal128::parse("NaN");
}

Decimal128 nan() {
    return parsed("NaN");
}

/// A finite decimal taken apart: digits without leading zeros ("" is zero) times 10^exponent.
struct Digits {
    bool negative = false;
    std::string digits;
    std::int64_t exponent = 0;
};

Digits take_apart(Decimal128 value) {
    Digits result;
    result.negative = value.is_negative();
    const std::string text = value.to_string();
    bool after_point = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c >= '0' && c <= '9') {
            result.exponent -= after_point ? 1 : 0;
            if (c != '0' || !result.digits.empty()) {
                result.digits += c;
            }
        } else if (c == '.') {
            after_point = true;
        } else if (c == 'E' || c == 'e') {
            result.exponent += std::stoll(text.substr(i + 1));
            break;
        }
    }
    return result;
}

Decimal128 put_together(const Digits& parts) {
    return parsed((parts.negative ? "-" : "") + (parts.digits.empty() ? "0" : parts.digits) + "E" +
                  std::to_string(parts.exponent));
}

bool rounds_away(const Digits& kept, const std::string& dropped, DecimalRounding rounding) {
    const bool exact = dropped.find_first_not_of('0') == std::string::npos;
    if (exact) {
        return false;
    }
    switch (rounding) {
    case DecimalRounding::toward_zero:
        return false;
    case DecimalRounding::down:
        return kept.negative;
    case DecimalRounding::up:
        return !kept.negative;
    case DecimalRounding::half_even:
        break;
    }
    if (dropped[0] != '5') {
        return dropped[0] > '5';
    }
    const bool half = dropped.find_first_not_of('0', 1) == std::string::npos;
    const bool odd = !kept.digits.empty() && (kept.digits.back() - '0') % 2 == 1;
    return !half || odd;
}

void add_one(std::string& digits) {
    for (std::size_t i = digits.size(); i > 0; --i) {
        if (digits[i - 1] != '9') {
            ++digits[i - 1];
            return;
        }
        digits[i - 1] = '0';
    }
    digits.insert(digits.begin(), '1');
}

Float to_float(Decimal128 value) {
    return Float(value.to_string());
}

Decimal128 from_float(const Float& value) {
    if (isnan(value)) {
        return nan();
    }
    if (isinf(value)) {
        return parsed(value < 0 ? "-Infinity" : "Infinity");
    }
    // Exact results print short: 3, not 3.000...
    std::string text = value.str(34, std::ios_base::scientific);
    const std::size_t mark = text.find('e');
    std::string mantissa = text.substr(0, mark);
    if (mantissa.find('.') != std::string::npos) {
        mantissa.erase(mantissa.find_last_not_of('0') + 1);
        if (mantissa.back() == '.') {
            mantissa.pop_back();
        }
    }
    const std::int64_t exponent = mark == std::string::npos ? 0 : std::stoll(text.substr(mark + 1));
    // Written with exponent 0 where the digits allow, so that 100 is not 1E+2.
    Digits parts = take_apart(parsed(mantissa + "E" + std::to_string(exponent)));
    while (parts.exponent > 0 && parts.digits.size() < 34 && !parts.digits.empty()) {
        parts.digits += '0';
        --parts.exponent;
    }
    return put_together(parts);
}

} // namespace

Decimal128 round_decimal(Decimal128 value, std::int64_t place, DecimalRounding rounding) {
    if (value.is_nan() || value.is_infinite()) {
        return value;
    }
    Digits parts = take_apart(value);
    if (parts.exponent >= -place) {
        return value;
    }
    const auto drop = static_cast<std::size_t>(-place - parts.exponent);
    std::string dropped;
    if (drop >= parts.digits.size()) {
        dropped =
            std::string(std::min<std::size_t>(drop - parts.digits.size(), 40), '0') + parts.digits;
        parts.digits.clear();
    } else {
        dropped = parts.digits.substr(parts.digits.size() - drop);
        parts.digits.erase(parts.digits.size() - drop);
    }
    parts.exponent = -place;
    if (rounds_away(parts, dropped, rounding)) {
        add_one(parts.digits);
    }
    return put_together(parts);
}

Decimal128 remainder(Decimal128 dividend, Decimal128 divisor) {
    if (dividend.is_nan() || divisor.is_nan() || dividend.is_infinite() || divisor.is_zero()) {
        return nan();
    }
    if (divisor.is_infinite()) {
        return dividend;
    }
    Digits left = take_apart(dividend);
    const Digits right = take_apart(divisor);
    if (left.digits.empty() || right.exponent - left.exponent > 40) {
        return dividend;
    }
    Integer coefficient(left.digits);
    Integer modulus(right.digits);
    if (left.exponent >= right.exponent) {
        const Integer shift = powm(Integer(10), Integer(left.exponent - right.exponent), modulus);
        coefficient = (coefficient * shift) % modulus;
        left.exponent = right.exponent;
    } else {
        modulus *= pow(Integer(10), static_cast<unsigned>(right.exponent - left.exponent));
        coefficient %= modulus;
    }
    left.digits = coefficient.is_zero() ? std::string() : coefficient.str();
    return put_together(left);
}

Decimal128 decimal_from_double(double value) {
    if (!std::isfinite(value) || value == 0) {
        return Decimal128::from_double(value);
    }
    return parsed(fmt::format("{:.14e}", value));
}

Decimal128 square_root(Decimal128 value) {
    if (value.is_nan() || (value.is_negative() && !value.is_zero())) {
        return nan();
    }
    return value.is_infinite() || value.is_zero() ? value : from_float(sqrt(to_float(value)));
}

Decimal128 exponential(Decimal128 value) {
    if (value.is_nan()) {
        return value;
    }
    const double size = value.to_double();
    if (size > 15'000) {
        return parsed("Infinity");
    }
    if (size < -15'000) {
        return parsed("0");
    }
    return from_float(exp(to_float(value)));
}

Decimal128 natural_log(Decimal128 value) {
    if (value.is_nan() || (value.is_negative() && !value.is_zero())) {
        return nan();
    }
    if (value.is_zero()) {
        return parsed("-Infinity");
    }
    return value.is_infinite() ? value : from_float(log(to_float(value)));
}

Decimal128 common_log(Decimal128 value) {
    if (value.is_nan() || (value.is_negative() && !value.is_zero())) {
        return nan();
    }
    if (value.is_zero()) {
        return parsed("-Infinity");
    }
    return value.is_infinite() ? value : from_float(log10(to_float(value)));
}

Decimal128 power(Decimal128 base, Decimal128 exponent) {
    if (base.is_nan() || exponent.is_nan()) {
        return nan();
    }
    if (exponent.is_zero()) {
        return parsed("1");
    }
    if (base.is_infinite() || exponent.is_infinite() || base.is_zero()) {
        return Decimal128::from_double(std::pow(base.to_double(), exponent.to_double()));
    }
    const Float power_of = to_float(exponent);
    const bool whole = power_of == trunc(power_of);
    if (base.is_negative() && !whole) {
        return nan();
    }
    const double size = exponent.to_double() * std::log(std::abs(base.to_double()));
    if (size > 15'000) {
        return parsed("Infinity");
    }
    if (size < -15'000) {
        return parsed("0");
    }
    if (whole && abs(power_of) <= 1'000'000) {
        return from_float(pow(to_float(base), power_of.convert_to<int>()));
    }
    const Float result = pow(Float(abs(to_float(base))), power_of);
    const bool odd = base.is_negative() && fmod(abs(power_of), Float(2)) == 1;
    return from_float(odd ? Float(-result) : result);
}

} // namespace tombolo::mql
