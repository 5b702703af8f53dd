/* Decimal arithmetic by the compiler's own library (libgcc, BID): what our decimals are checked against on x86-64.
   Compiled by gcc also where the rest is compiled by clang, which does not know the type. */

#include "support/decimal_oracle.h"

typedef union {
    _Decimal128 value;
    struct {
        uint64_t low;
        uint64_t high;
    } bits;
} Decimal;

static Decimal in(OracleDecimal bits) {
    Decimal decimal;
    decimal.bits.low = bits.low;
    decimal.bits.high = bits.high;
    return decimal;
}

static OracleDecimal out(_Decimal128 value) {
    Decimal decimal;
    decimal.value = value;
    OracleDecimal bits = {decimal.bits.high, decimal.bits.low};
    return bits;
}

OracleDecimal oracle_add(OracleDecimal a, OracleDecimal b) { return out(in(a).value + in(b).value); }
OracleDecimal oracle_subtract(OracleDecimal a, OracleDecimal b) { return out(in(a).value - in(b).value); }
OracleDecimal oracle_multiply(OracleDecimal a, OracleDecimal b) { return out(in(a).value * in(b).value); }
OracleDecimal oracle_divide(OracleDecimal a, OracleDecimal b) { return out(in(a).value / in(b).value); }
OracleDecimal oracle_from_double(double value) { return out((_Decimal128)value); }
double oracle_to_double(OracleDecimal a) { return (double)in(a).value; }

int oracle_compare(OracleDecimal a, OracleDecimal b) {
    if (in(a).value < in(b).value) {
        return -1;
    }
    return in(a).value > in(b).value;
}
