#include "report/shorten.h"

#include <stddef.h>
#include <string.h>

/* Longer ones first; with and without libstdc++'s namespace of its C++11 ABI. */
static const struct {
    const char *whole, *plain;
} words[] = {
#define STRING_OF(type, word)                                                                                          \
    {"std::__cxx11::basic_string<" type ", std::char_traits<" type ">, std::allocator<" type "> >", word},             \
        {"std::basic_string<" type ", std::char_traits<" type ">, std::allocator<" type "> >", word}, {                \
        "std::basic_string_view<" type ", std::char_traits<" type "> >", word "_view"                                  \
    }
    STRING_OF("char", "std::string"),
    STRING_OF("wchar_t", "std::wstring"),
    {"std::__cxx11::", "std::"},
    {"[abi:cxx11]", ""},
#undef STRING_OF
};

void lt_shorten(char *name) {
    char *to = name;
    for (const char *from = name; *from;) {
        size_t i = 0;
        while (i < sizeof words / sizeof words[0] && strncmp(from, words[i].whole, strlen(words[i].whole)) != 0)
            i++;
        if (i == sizeof words / sizeof words[0]) {
            *to++ = *from++;
            continue;
        }
        memcpy(to, words[i].plain, strlen(words[i].plain));
        to += strlen(words[i].plain);
        from += strlen(words[i].whole);
    }
    *to = 0;
}
