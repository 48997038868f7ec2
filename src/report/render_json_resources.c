/* The rows of the JSON report that stand beside the sites: one per descriptor, mapping, thread and misuse. */
#include "report/allocator.h"
#include "report/go_runtime.h"
#include "report/kinds.h"
#include "report/render_json.h"
#include "report/sockets.h"

static void put_text(struct lt_json *json, const char *name, const char *text) {
    lt_json_string(json, name, text && text[0] ? text : NULL);
}

static void put_number(struct lt_json *json, const char *name, uint64_t number) {
    if (number == LT_NO_NUMBER)
        lt_json_string(json, name, NULL);
    else
        lt_json_number(json, name, number);
}

static void put_age(struct lt_json *json, const struct lt_model *model, const struct lt_dump_holder *holder) {
    uint64_t age = lt_holder_age(model->snapshot, holder);
    if (age == LT_NO_NUMBER)
        lt_json_string(json, "age", NULL);
    else
        lt_json_seconds(json, "age", age * 10000000);
}

static void put_site_id(struct lt_json *json, const char *name, const struct lt_model *model,
                        const struct lt_dump_holder *holder) {
    if (lt_holder_is_known(holder))
        lt_json_hex(json, name, lt_holder_site(model, holder).id);
    else
        lt_json_string(json, name, NULL);
}

static void put_descriptor(struct lt_json *json, const struct lt_model *model, const struct lt_dump_descriptor *row) {
    const struct lt_dump_details *details = &row->details;
    lt_json_flat_object(json, NULL);
    lt_json_number(json, "fd", row->fd);
    lt_json_string(json, "kind", lt_kind_name(row->kind));
    lt_json_string(json, "origin", lt_origin_word(row->origin));
    lt_json_string(json, "via", lt_via_word(row->flags));
    put_text(json, "path", row->target);
    put_text(json, "protocol", details->protocol);
    put_text(json, "state", details->state);
    put_text(json, "local", details->local);
    put_text(json, "peer", details->peer);
    put_age(json, model, &row->holder);
    lt_json_bool(json, "cloexec", row->flags & LT_DESCRIPTOR_CLOEXEC);
    lt_json_bool(json, "deleted", row->flags & LT_DESCRIPTOR_DELETED);
    put_site_id(json, "site", model, &row->holder);
    put_number(json, "inode", details->inode);
    put_number(json, "size", details->size);
    put_number(json, "position", details->position);
    put_number(json, "receive", details->receive);
    put_number(json, "send", details->send);
    put_number(json, "memory", details->memory);
    put_number(json, "watches", details->watches);
    put_text(json, "note", details->note);
    lt_json_end(json);
}

static void put_mapping(struct lt_json *json, const struct lt_model *model, const struct lt_dump_mapping *row) {
    struct lt_human prot = lt_protection_word(row);
    const struct lt_dump_holder nobody = {0};
    const bool is_go = lt_is_go_runtime(model, &row->holder), is_malloc = lt_is_allocators(model, &row->holder);
    const uint32_t mapping_class = is_malloc ? LT_MAPPING_ARENA : row->mapping_class;
    prot.text[3] = 0; /* flags say the rest */
    lt_json_flat_object(json, NULL);
    lt_json_number(json, "address", row->start);
    lt_json_number(json, "length", row->length);
    lt_json_string(json, "prot", prot.text);
    lt_json_string(json, "flags", row->flags & LT_MAPPING_SHARED ? "shared" : "private");
    lt_json_string(json, "class", is_go ? "Go runtime" : lt_mapping_class_word(mapping_class));
    lt_json_string(json, "origin", lt_origin_word(row->origin));
    put_text(json, "path", row->path);
    lt_json_number(json, "offset", row->offset);
    put_number(json, "resident", row->details.resident);
    put_age(json, model, &row->holder);
    put_site_id(json, "site", model, is_go || is_malloc ? &nobody : &row->holder);
    lt_json_end(json);
}

static void put_thread(struct lt_json *json, const struct lt_model *model, const struct lt_dump_thread *row) {
    lt_json_flat_object(json, NULL);
    put_number(json, "tid", row->tid ? row->tid : LT_NO_NUMBER);
    put_text(json, "name", row->name);
    lt_json_string(json, "origin", lt_origin_word(row->origin));
    lt_json_bool(json, "main", row->flags & LT_THREAD_MAIN);
    lt_json_bool(json, "running", row->flags & LT_THREAD_RUNS);
    lt_json_bool(json, "detached", row->flags & LT_THREAD_DETACHED);
    put_number(json, "stack_size", row->stack_size ? row->stack_size : LT_NO_NUMBER);
    put_age(json, model, &row->holder);
    put_site_id(json, "site", model, &row->holder);
    lt_json_end(json);
}

static void put_misuse(struct lt_json *json, const struct lt_report *report, const struct lt_dump_misuse *row) {
    lt_json_object(json, NULL);
    lt_json_string(json, "what", lt_misuse_word(row->what));
    lt_json_number(json, "count", row->count);
    lt_json_number(json, "fd", row->fd);
    put_site_id(json, "opener", report->model, &row->opener);
    lt_json_bool(json, "truncated", row->site_flags & LT_SITE_TRUNCATED);
    lt_json_frames(json, report, &(struct lt_site){.model = report->model, .node = row->node});
    lt_json_end(json);
}

void lt_json_resources(struct lt_json *json, const struct lt_report *report) {
    const struct lt_model *model = report->model;
    const struct lt_resources *rows = &model->resources;
    lt_json_array(json, "descriptors");
    for (size_t i = 0; i < rows->descriptor_count; i++)
        put_descriptor(json, model, rows->descriptors[i]);
    lt_json_end(json);
    lt_json_array(json, "mappings");
    for (size_t i = 0; i < rows->mapping_count; i++)
        put_mapping(json, model, rows->mappings[i]);
    lt_json_end(json);
    lt_json_array(json, "threads");
    for (size_t i = 0; i < rows->thread_count; i++)
        put_thread(json, model, rows->threads[i]);
    lt_json_end(json);
    lt_json_array(json, "misuses");
    for (size_t i = 0; i < rows->misuse_count; i++)
        put_misuse(json, report, rows->misuses[i]);
    lt_json_end(json);
}

void lt_json_socket_states(struct lt_json *json, const struct lt_model *model) {
    struct lt_pool scratch = {0};
    struct lt_socket_state *states;
    size_t count = lt_socket_states(model, &scratch, &states);
    lt_json_object(json, "socket_states");
    for (size_t i = 0; i < count; i++)
        lt_json_number(json, states[i].state, states[i].count);
    lt_json_end(json);
    lt_pool_free(&scratch);
}
