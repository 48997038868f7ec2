/* What the text says beside the facts: of names that are missing or too long, of kinds that nobody recorded. */
#include "report/kinds.h"
#include "report/shorten.h"
#include "report_fixture.h"

#define PROCESS "process exe=/usr/bin/app start=1700000000000000000 "
#define MODULES                                                                                                        \
    "module app path=/usr/bin/app build-id=aa\nmodule x path=/opt/libx.so.1 build-id=bb\n"                             \
    "module libc path=/lib/libc.so.6 build-id=cc\n"

static void assert_says(struct fake_report *r, const char *description, const char *words, bool says) {
    fake_report_make(r, description, NULL);
    char *text = fake_text(r, 0, false);
    if ((strstr(text, words) != NULL) != says)
        fail_msg("%s '%s':\n%s", says ? "does not say" : "says", words, text);
    free(text);
    fake_report_free(r);
}

static void names_are_shortened(void **state) {
    static const struct {
        const char *whole, *plain;
    } names[] = {
        {"main", "main"},
        {"", ""},
        {"f(std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > const&)",
         "f(std::string const&)"},
        {"std::map<std::basic_string<wchar_t, std::char_traits<wchar_t>, std::allocator<wchar_t> >, int>::at",
         "std::map<std::wstring, int>::at"},
        {"Cache[abi:cxx11]::key[abi:cxx11]() const", "Cache::key() const"},
        {"std::__cxx11::list<int>::push_back", "std::list<int>::push_back"},
        {"g(std::basic_string_view<char, std::char_traits<char> >)", "g(std::string_view)"},
        {"std::basic_string<unsigned char, my::traits>", "std::basic_string<unsigned char, my::traits>"},
        {"std::__cxx11", "std::__cxx11"},
        {"std::vector<std::vector<int, std::allocator<int> >, std::allocator<std::vector<int, std::allocator<int> > > "
         ">",
         "std::vector<std::vector<int> >"},
        {"std::vector<int, std::allocator<int>>::push_back(int&&)", "std::vector<int>::push_back(int&&)"},
        {"std::map<int, A, std::less<int>, std::allocator<std::pair<int const, A> > >::at", "std::map<int, A>::at"},
        {"std::map<int, A, my::less, std::allocator<std::pair<int const, A> > >", "std::map<int, A, my::less>"},
        {"std::unique_ptr<A, std::default_delete<A> >::reset(A*)", "std::unique_ptr<A>::reset(A*)"},
        {"std::__1::basic_string<char, std::__1::char_traits<char>, std::__1::allocator<char> >::grow",
         "std::string::grow"},
        {"g(int, std::allocator<char> const&)", "g(int, std::allocator<char> const&)"},
        {"g(std::less<int>, std::hash<int>, int)", "g(std::less<int>, std::hash<int>, int)"},
        {"f<A, std::allocator<decltype((a)<(b))> >()", "f<A>()"},
        {"f<A, std::allocator<char", "f<A, std::allocator<char"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s", names[i].whole);
        lt_shorten(name);
        assert_string_equal(name, names[i].plain);
    }
}

static void only_text_is_shortened(void **state) {
    struct fake_report r = {0};
    (void)state;
    fake_names("app+0x10|std::__cxx11::f|a.c:1\n");
    fake_report_make(&r, PROCESS "\n" MODULES "snapshot\nsite heap app+0x10 live=1/1\n", NULL);
    char *text = fake_text(&r, 0, false), *json = fake_json(&r);
    assert_non_null(strstr(text, "      std::f  a.c:1"));
    assert_non_null(strstr(json, "\"std::__cxx11::f\""));
    free(text);
    free(json);
    fake_report_free(&r);
}

static void a_hint_at_missing_symbols(void **state) {
    struct fake_report r = {.hints = true};
    (void)state;
    fake_names("app+0x10|f|a.c:1\napp+0x11|g|-\n");
    assert_says(&r, PROCESS "\n" MODULES "snapshot\nsite heap x+0x10 app+0x20 app+0x30 live=1/1\n",
                "\nframes without names: libx.so.1, app; build with -g, install", true);
    r = (struct fake_report){.hints = true};
    assert_says(&r, PROCESS "\n" MODULES "snapshot\nsite heap x+0x10 app+0x11 live=1/1\n",
                "\nframes without names: libx.so.1; without lines: app; build", true);
    r = (struct fake_report){.hints = true};
    assert_says(&r, PROCESS "\n" MODULES "snapshot\nsite heap app+0x11 libc+0x20 live=1/1\n",
                "\nframes without lines: app; build", true);
    r = (struct fake_report){.hints = true}; /* what has no name needs no other word */
    assert_says(&r, PROCESS "\n" MODULES "snapshot\nsite heap app+0x11 app+0x12 live=1/1\n",
                "\nframes without names: app; build", true);
    r = (struct fake_report){.hints = true};
    assert_says(&r, PROCESS "\n" MODULES "snapshot\nsite heap app+0x10 libc+0x20 0x7000 live=1/1\n",
                "frames without names", false);
    r = (struct fake_report){.hints = true, .top = 1};
    assert_says(&r,
                PROCESS "\n" MODULES "snapshot\nsite heap app+0x10 live=1/9\n"
                        "site heap x+0x10 live=1/1\n",
                "frames without names", false);
}

static void a_group_keeps_to_the_width(void **state) {
    struct fake_report r = {.by = LT_BY_FUNCTION};
    (void)state;
    fake_names("app+0x10|a_function_whose_name_is_longer_than_the_terminal_is_wide_today|/src/x.c:7\n");
    fake_report_make(&r, PROCESS "\n" MODULES "snapshot\nsite heap app+0x10 live=1/9\n", NULL);
    char *narrow = fake_text(&r, 50, false), *wide = fake_text(&r, 80, false);
    assert_non_null(strstr(narrow, "\n      a_function_whose_name_is_longer_than_the_...\n"));
    assert_non_null(strstr(wide, "_is_wide_today\n"));
    free(narrow);
    free(wide);
    fake_report_free(&r);
}

static void heap_that_was_not_tracked_is_not_called_free(void **state) {
    struct fake_report r = {0};
    (void)state;
    assert_says(&r, PROCESS "\nsnapshot\ntotals heap\n", "\nNothing is held.\n", true);
    assert_says(&r, PROCESS "note=\"heap not tracked: the executable brings its own malloc\"\nsnapshot\ntotals heap\n",
                "\nNothing that was recorded is held.\n", true);
    assert_says(&r, PROCESS "option=LEAKTRACK_KINDS=file\nsnapshot\n", "\nNothing that was recorded is held.\n", true);
}

static void kinds_that_were_not_recorded_are_told(void **state) {
    static const char *const newer =
        PROCESS "option=LEAKTRACK_KINDS=heap,file\nsnapshot\ncounter kernel reconciled 1\n";
    struct fake_report r = {.selection.kinds = LT_DESCRIPTOR_KINDS};
    (void)state;
    assert_says(&r, newer, "\nnot recorded: directory, socket, pipe, event, stream (", true);
    r.selection.kinds = LT_KIND_BIT(LT_KIND_FILE);
    assert_says(&r, newer, "not recorded", false);
    r.selection.kinds = 0;
    assert_says(&r, newer, "not recorded", false);
    r.selection.kinds = LT_KIND_BIT(LT_KIND_SOCKET);
    assert_says(&r, PROCESS "option=LEAKTRACK_KINDS=heap,socket\nsnapshot\n", "\nnot recorded: socket (", true);
    assert_says(&r, PROCESS "\nsnapshot\ncounter kernel reconciled 1\n", "not recorded", false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_shortened),
        cmocka_unit_test(only_text_is_shortened),
        cmocka_unit_test(a_hint_at_missing_symbols),
        cmocka_unit_test(a_group_keeps_to_the_width),
        cmocka_unit_test(heap_that_was_not_tracked_is_not_called_free),
        cmocka_unit_test(kinds_that_were_not_recorded_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
