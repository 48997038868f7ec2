/* Words for what the compiler should know of a declaration; the one place that may ask which compiler it is. */
#ifndef LT_BASE_ATTRS_H
#define LT_BASE_ATTRS_H

#define LT_EXPORT        __attribute__((visibility("default")))
#define LT_COLD          __attribute__((cold, noinline))
#define LT_FLATTEN       __attribute__((flatten)) /* what it calls is inlined, but for the cold */
#define LT_NOINLINE      __attribute__((noinline))
#define LT_ALWAYS_INLINE inline __attribute__((always_inline))
#define LT_WARN_UNUSED   __attribute__((warn_unused_result))
#define LT_UNUSED        __attribute__((unused))
#define LT_HOT_DATA      __attribute__((section("lt_hot"))) /* what nearly every event reads: together a line or two */
#define LT_TLS           __thread __attribute__((tls_model("initial-exec")))

#define lt_likely(x)   __builtin_expect(!!(x), 1)
#define lt_unlikely(x) __builtin_expect(!!(x), 0)

#define LT_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
