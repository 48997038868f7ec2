"""From samples to figures to text. Every figure of a side is a list, one value per round, each against the sample of
the side it is compared with in the same round."""
import os
import platform
import statistics

COLUMNS = [  # key, heading, digits
    ("wall_ratio", "wall ×", 2),
    ("added_ns", "added ns CPU", 0),
    ("helper_ns", "+ 2nd process", 0),
    ("rss_ratio", "peak RSS ×", 2),
    ("index_per_block", "index B/block", 0),
    ("stacks_per_node", "stacks B/node", 0),
    ("dump_kib", "dump KiB", 0),
    ("snapshot_ms", "snapshot ms", 1),
]
NODE_BYTES, SITE_BYTES = 24, 40  # src/track/stacks.h


def figures(sample, base, counted):
    """One round's figures; `base` is None for a side that nothing is compared with."""
    allocations, peak_blocks, _ = counted
    found = {"wall_s": sample.wall_s, "cpu_s": sample.cpu_s, "rss_kib": sample.rss_kib}
    if base:
        found.update(wall_ratio=sample.wall_s / base.wall_s, rss_ratio=sample.rss_kib / base.rss_kib,
                     added_ns=(sample.cpu_s - base.cpu_s) * 1e9 / allocations)
    if sample.helper_cpu_s:
        found["helper_ns"] = sample.helper_cpu_s * 1e9 / allocations
    more = sample.more
    if "index_bytes" in more:
        found["index_per_block"] = more["index_bytes"] / peak_blocks
        stacks = more["stack_table_bytes"] + more["nodes"] * NODE_BYTES + more["sites"] * SITE_BYTES
        found["stacks_per_node"] = stacks / max(more["nodes"], 1)
    if "dump_bytes" in more:
        found["dump_kib"] = more["dump_bytes"] / 1024
    if "snapshot_s" in more:
        found["snapshot_ms"] = more["snapshot_s"] * 1e3
    return found


def spread(values):
    """Median, least, most, and all of them in the order of the rounds."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "values": values}


def summary(rounds):
    return {key: spread([r[key] for r in rounds if key in r]) for key in rounds[0]}


def cell(figure, digits):
    """`2.31 (2.28..2.40)`, without the spread where there is none."""
    if not figure:
        return ""
    median, least, most = ("%.*f" % (digits, figure[key]) for key in ("median", "min", "max"))
    return median if least == most else "%s (%s..%s)" % (median, least, most)


def human(number):
    for unit in "", " k", " M", " G":
        if number < 1000 or unit == " G":
            return ("%.0f%s" if number >= 100 or not unit else "%.1f%s") % (number, unit)
        number /= 1000


def workload_heading(result):
    held = result["peak_bytes"] / max(result["peak_blocks"], 1)
    none = result["sides"].get("none", {}).get("figures")
    time = ", %.2f s" % none["wall_s"]["median"] if none else ""
    return "%s: %s\n    %s allocations%s; at the peak %s live blocks of %.0f bytes" % (
        result["name"], result["title"], human(result["allocations"]), time, human(result["peak_blocks"]), held)


def workload_table(result, titles):
    lines = [workload_heading(result)]
    rows = [[""] + [heading for _, heading, _ in COLUMNS]]
    for name, side in result["sides"].items():
        if "figures" in side and (side["against"] or len(result["sides"]) == 1):
            rows.append([titles[name]] + [cell(side["figures"].get(key), digits) for key, _, digits in COLUMNS])
    used = [i for i in range(len(rows[0])) if i == 0 or any(row[i] for row in rows[1:])]
    widths = [max(len(row[i]) for row in rows) for i in used]
    for row in rows if len(rows) > 1 else []:
        lines.append("    " + "  ".join(row[i].ljust(w) if i == 0 else row[i].rjust(w) for i, w in zip(used, widths)))
    for name, side in result["sides"].items():
        lines += ["    %s: %s" % (titles[name], side[key]) for key in ("problem", "note") if side.get(key)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def first_line(path, key):
    try:
        with open(path, encoding="utf-8") as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith(key)), None)
    except OSError:
        return None


def machine():
    return {
        "cpu": first_line("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": first_line("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "libc": os.confstr("CS_GNU_LIBC_VERSION"),
        "load": os.getloadavg()[0],
    }


def machine_text(told):
    text = "%(cpu)s, %(cores)d processors, %(memory)s, Linux %(kernel)s, %(libc)s" % told
    if told["load"] > 0.5:
        text += "\nThe machine is busy (load %.1f): wall times will say little, CPU times less than usual." % told["load"]
    return text
