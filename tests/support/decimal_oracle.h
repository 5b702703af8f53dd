/* C interface of decimal_oracle.c. */
#ifndef TOMBOLO_TESTS_SUPPORT_DECIMAL_ORACLE_H
#define TOMBOLO_TESTS_SUPPORT_DECIMAL_ORACLE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint64_t high;
    uint64_t low;
} OracleDecimal;

OracleDecimal oracle_add(OracleDecimal a, OracleDecimal b);
OracleDecimal oracle_subtract(OracleDecimal a, OracleDecimal b);
OracleDecimal oracle_multiply(OracleDecimal a, OracleDecimal b);
OracleDecimal oracle_divide(OracleDecimal a, OracleDecimal b);
OracleDecimal oracle_from_double(double value);
double oracle_to_double(OracleDecimal a);
/* REQUIRES: no NaN. */
int oracle_compare(OracleDecimal a, OracleDecimal b);

#ifdef __cplusplus
}
#endif

#endif
