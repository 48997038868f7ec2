#include "base/kind.h"

#include <string.h>

static const char *const words[LT_KIND_END] = {
#define X(name, number, word) [number] = (word),
    LT_KINDS(X)
#undef X
};

const char *lt_kind_name(unsigned kind) {
    if (kind >= LT_KIND_END || !words[kind])
        return "unknown";
    return words[kind];
}

unsigned lt_kind_from_name(const char *word, size_t length) {
    for (unsigned kind = 1; kind < LT_KIND_END; kind++)
        if (strlen(words[kind]) == length && memcmp(words[kind], word, length) == 0)
            return kind;
    return 0;
}

uint32_t lt_kinds_from_word(const char *word, size_t length) {
    static const char group[] = "descriptors";
    if (length == sizeof group - 1 && memcmp(word, group, length) == 0)
        return LT_DESCRIPTOR_KINDS;
    const unsigned kind = lt_kind_from_name(word, length);
    return kind ? LT_KIND_BIT(kind) : 0;
}
