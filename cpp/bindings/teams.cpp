// Of the submodule `operations`: what teams, their parts and their units become, by seconds that a test gives, and where their threads run.
#include "ganglion/balance.hpp"
#include "ganglion/forward_trial.hpp"
#include "ganglion/places.hpp"
#include "ganglion/team_trial.hpp"
#include "ganglion/threads.hpp"
#include "ganglion/unit_queues.hpp"
#include "handles.hpp"
#include "panel.hpp"
#include <pybind11/functional.h>
#include <pybind11/stl.h>
#include <thread>
#if defined(__linux__)
#include <sched.h>
#endif

namespace ganglion::bindings {
namespace {

using namespace py::literals;
using Names = const std::string &;

// The parts that threads get who took so many seconds for those that they had.
std::vector<double> follow_parts(Names work, const std::vector<double> &had, const std::vector<double> &seconds) {
    require(had.size() == seconds.size(),
            "had has " + std::to_string(had.size()) + " threads and seconds " + std::to_string(seconds.size()) + "; give both of the same");
    Balance balance(static_cast<int>(had.size()));
    std::vector<Timesheet> sheets;
    for (const double taken : seconds) {
        Timesheet &sheet = sheets.emplace_back(Timesheet::fewest_steps);
        for (Index step = 0; step < Timesheet::fewest_steps; ++step) {
            for (const Work of_both : {Work::rows, Work::weights}) sheet.add(of_both, taken);
            sheet.end_step();
        }
    }
    return balance.follow(sheets, {had, had}) ? of(balance.parts(), work == "rows" ? Work::rows : Work::weights) : had;
}

// The teams of forward passes that take so many seconds alone or together, one after the other.
std::vector<int> forward_teams(int most, const std::vector<Index> &rows, const std::vector<double> &alone,
                               const std::vector<double> &together) {
    require(rows.size() == alone.size() && rows.size() == together.size(), "rows, alone and together must be equally long");
    ForwardTrial trial;
    ForwardTrial::Clock::time_point now{};
    std::vector<int> teams;
    for (std::size_t pass = 0; pass < rows.size(); ++pass) {
        const int team = teams.emplace_back(trial.team(rows[pass], most));
        const double seconds = team == 1 ? alone[pass] : together[pass];
        now += std::chrono::duration_cast<ForwardTrial::Clock::duration>(std::chrono::duration<double>(seconds));
        trial.record(rows[pass], team, seconds, now);
    }
    return teams;
}

// The units that a thread and another one take in turn of phases in which the first has so many.
std::vector<std::vector<Index>> units_taken(const std::vector<Index> &counts) {
    UnitQueues queues(1);
    std::vector<std::vector<Index>> taken;
    std::uint64_t phase = 0;
    for (const Index count : counts) {
        ++phase;
        std::vector<Index> &units = taken.emplace_back();
        for (Index unit = 0; unit >= 0;) {
            const bool own = units.size() % 2 == 0;
            unit = own ? queues.take_first(0, phase, 10, 10 + count) : queues.take_last(0, phase, 10, 10 + count);
            if (unit >= 0) units.push_back(unit);
        }
    }
    return taken;
}

// What a run that makes `chunk` seconds of steps at a time uses until the time is over, as (time, threads, plan, whether it is a trial):
// seconds(threads, plan, time) is what a step takes.
py::list training_teams(int most, double chunk, double until, const std::function<double(int, std::string, double)> &seconds) {
    constexpr Index rows = 64;
    TeamTrial trial(1, most, rows, std::nullopt);
    py::list used;
    for (double time = 0; time < until;) {
        const auto now = [&] {
            return TeamTrial::Clock::time_point(
                std::chrono::duration_cast<TeamTrial::Clock::duration>(std::chrono::duration<double>(time)));
        };
        if (trial.stale(now())) {
            const TeamTrial before = trial;
            trial = TeamTrial(1, most, rows, std::nullopt, &before);
        }
        const auto [threads, strategy] = trial.team();
        const std::string plan = strategy == Strategy::rows ? "rows" : "layers";
        const bool trying = !trial.decided();
        used.append(py::make_tuple(time, threads, plan, trying));
        const double step = seconds(threads, plan, time);
        const Index steps = trying ? trial.steps() : std::min(trial.steps_until_stale(), 1 + static_cast<Index>(chunk / step));
        time += step * static_cast<double>(steps);
        if (trying) trial.record(step, steps, now());
        else if (threads > 1) trial.watch(step);
    }
    return used;
}

#if defined(__linux__)
cpu_set_t allowed() {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    return set;
}

// Moves the thread to a processor, which it may leave again.
void move_to(int processor) {
    const cpu_set_t before = allowed();
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(processor), &one);
    sched_setaffinity(0, sizeof one, &one);
    sched_setaffinity(0, sizeof before, &before);
}
#endif

// (Its processor, how many it may use) of each thread, all of which were on one processor just before: threads of a team, or such that
// arrive one after the other.
std::vector<std::pair<int, int>> places([[maybe_unused]] int count, [[maybe_unused]] bool team) {
    std::vector<std::pair<int, int>> found;
#if defined(__linux__)
    found.resize(static_cast<std::size_t>(count));
    const int here = sched_getcpu();
    const auto look = [&](int thread) {
        const cpu_set_t set = allowed();
        found[static_cast<std::size_t>(thread)] = {sched_getcpu(), CPU_COUNT(&set)};
    };
    if (team) {
        parallel(count, [&](int, int) { move_to(here); });
        parallel(count, [&](int thread, int) { look(thread); });
        return found;
    }
    Places of_all;
    for (int t = 0; t < count; ++t)
        std::thread([&] {
            move_to(here);
            of_all.arrive();
            look(t);
        }).join();
#endif
    return found;
}

} // namespace

void bind_teams(py::module_ &module) {
    auto operations = module.attr("operations").cast<py::module_>();
    operations.def("units_taken", &units_taken, "counts"_a);
    operations.def("forward_teams", &forward_teams, "most"_a, "rows"_a, "alone"_a, "together"_a);
    operations.def("training_teams", &training_teams, "most"_a, "chunk"_a, "until"_a, "seconds"_a);
    operations.def("follow_parts", &follow_parts, "work"_a, "had"_a, "seconds"_a);
    operations.def("places", &places, "count"_a, "team"_a);
}

} // namespace ganglion::bindings
