/* Three rewritings, each of which makes the next one's words plain: inline namespaces go, then the template arguments
 * that everybody leaves to their defaults, then what is left of std::string gets its own name. */
#include "report/shorten.h"

#include "base/attrs.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct word {
    const char *whole, *plain;
};

/* Of the C++11 ABI of libstdc++, and of libc++. */
static const struct word namespaces[] = {{"std::__cxx11::", "std::"}, {"std::__1::", "std::"}, {"[abi:cxx11]", ""}};

static const struct word aliases[] = {{"std::basic_string<char>", "std::string"},
                                      {"std::basic_string<wchar_t>", "std::wstring"},
                                      {"std::basic_string_view<char>", "std::string_view"},
                                      {"std::basic_string_view<wchar_t>", "std::wstring_view"}};

/* Behind the arguments that say something. */
static const char *const defaults[] = {", std::allocator<", ", std::char_traits<", ", std::less<",
                                       ", std::hash<",      ", std::equal_to<",    ", std::default_delete<"};

static bool begins(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

static void replace(char *name, const struct word *words, size_t count) {
    char *to = name;
    for (const char *from = name; *from;) {
        size_t i = 0;
        while (i < count && !begins(from, words[i].whole))
            i++;
        if (i == count) {
            *to++ = *from++;
            continue;
        }
        memcpy(to, words[i].plain, strlen(words[i].plain));
        to += strlen(words[i].plain);
        from += strlen(words[i].whole);
    }
    *to = 0;
}

/* Behind the bracket that closes the one before `text`; NULL where none does. Within parentheses they are operators. */
static const char *behind_argument(const char *text) {
    for (int angles = 1, parentheses = 0; *text; text++) {
        parentheses += (*text == '(') - (*text == ')');
        if (parentheses == 0)
            angles += (*text == '<') - (*text == '>');
        if (angles == 0)
            return text + 1;
    }
    return NULL;
}

static const char *skip_default(const char *text) {
    for (size_t i = 0; i < LT_ARRAY_SIZE(defaults); i++)
        if (begins(text, defaults[i]))
            return behind_argument(text + strlen(defaults[i]));
    return NULL;
}

/* Where `text` goes on behind default arguments; `text` itself where none stand there, or they are not a template's
 * last. */
static const char *skip_defaults(const char *text) {
    const char *end = text;
    for (const char *next = skip_default(end); next; next = skip_default(end))
        end = next;
    return begins(end, ">") || begins(end, " >") ? end : text;
}

static void drop_defaults(char *name) {
    char *to = name;
    for (const char *from = name; *from;) {
        const char *next = skip_defaults(from);
        if (next == from) {
            *to++ = *from++;
            continue;
        }
        from = next;
        if (begins(from, " >") && to > name && to[-1] != '>') /* the blank stood between two brackets */
            from++;
    }
    *to = 0;
}

void lt_shorten(char *name) {
    replace(name, namespaces, LT_ARRAY_SIZE(namespaces));
    drop_defaults(name);
    replace(name, aliases, LT_ARRAY_SIZE(aliases));
}
