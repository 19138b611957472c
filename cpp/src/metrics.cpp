#include "ganglion/metrics.hpp"
#include "ganglion/leaves.hpp"
#include "ganglion/table.hpp"
#include <cmath>
#include <limits>
#include <utility>

namespace ganglion {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

template <class T> Index target_row(const MetricPanel<T> &panel, Index r) {
    return panel.targets.rows ? panel.targets.rows[r] : panel.targets.first + r;
}

template <class T> const T *target_values(const MetricPanel<T> &panel, Index r) {
    return panel.targets.values + target_row(panel, r) * panel.targets.stride;
}

// The model's output, which is not the loss's input where a final softmax or sigmoid is the loss's own.
template <class T> const T *output_row(const Metric &metric, const MetricPanel<T> &panel, Index r) {
    const T *row = panel.output.data + r * panel.output.stride;
    if (metric.activation < 0) return row;
    panel.kernels->activations[metric.activation].apply(row, panel.activated, panel.output.columns, static_cast<T>(metric.alpha));
    return panel.activated;
}

// Does column j of the target say yes?
template <class T> bool says_yes(const MetricPanel<T> &panel, Index r, Index j) {
    if (panel.targets.labels) return panel.targets.labels[target_row(panel, r)] != 0;
    return target_values(panel, r)[j] > T(0.5);
}

// The class that the target names: its label, or the first of its largest values.
template <class T> std::int32_t target_class(const MetricPanel<T> &panel, Index r) {
    if (panel.targets.labels) return panel.targets.labels[target_row(panel, r)];
    std::int32_t label = 0;
    panel.kernels->argmax({target_values(panel, r), 1, panel.output.columns, panel.targets.stride}, &label);
    return label;
}

// The tree over lanes that all but the first N are zero, which adds nothing to terms of which none is negative.
template <Index N> double add_lanes(double *lanes) {
    for (Index half = sum_lanes / 2; half > 0; half /= 2)
        for (Index l = 0; l < half && l + half < N; ++l) lanes[l] += lanes[l + half];
    return lanes[0];
}

template <Index N, class Term> double sum_few(Term term) {
    double lanes[std::size_t{N}];
    for (Index l = 0; l < N; ++l) lanes[l] = term(l);
    return add_lanes<N>(lanes);
}

// A row sum in 16 lanes and their tree, in double, of terms of which none is negative. Few columns have a function of their own, which
// has no loop: 64 rows of 6 take 0.3 µs, 0.6 without and 1.9 with all lanes.
template <class Term> double sum_columns(Index columns, Term term) {
    switch (columns) {
    case 1: return sum_few<1>(term);
    case 2: return sum_few<2>(term);
    case 3: return sum_few<3>(term);
    case 4: return sum_few<4>(term);
    case 5: return sum_few<5>(term);
    case 6: return sum_few<6>(term);
    case 7: return sum_few<7>(term);
    case 8: return sum_few<8>(term);
    default: break;
    }
    double lanes[sum_lanes] = {};
    Index j = 0;
    for (; j + sum_lanes <= columns; j += sum_lanes)
        for (Index l = 0; l < sum_lanes; ++l) lanes[l] += term(j + l);
    for (Index l = 0; j < columns; ++l, ++j) lanes[l] += term(j);
    return add_lanes<sum_lanes>(lanes);
}

void refuse(const Metric &metric, const std::string &what) {
    throw std::invalid_argument("metric '" + metric.description.name + "' " + what);
}

std::string outputs_of(const Metric &metric) {
    return "the network has " + std::to_string(metric.outputs) + (metric.outputs == 1 ? " output" : " outputs");
}

// One number a row, whose mean over the rows is the metric.
struct Mean {
    static constexpr bool at_end = false;
    static void check(const Metric &, TargetKind) {}
    static Index values(const Metric &) { return 1; }
    static Index sums(const Metric &) { return 1; }
    static void add(const Metric &metric, const double *values, Index stride, Index rows, MetricState &state) {
        const Index count = metric.values();
        Index v = 0;
        for (; v + 4 <= count; v += 4) {
            const auto sums = sum_rows<4>(values + v * stride, stride, rows);
            for (Index n = 0; n < 4; ++n) state.sums[at(v + n)] += sums[at(n)];
        }
        for (; v < count; ++v) state.sums[at(v)] += sum_rows(values + v * stride, rows);
    }
    static double finish(const Metric &, const MetricState &state, Index rows) { return state.sums[0] / static_cast<double>(rows); }
};

struct Accuracy : Mean {
    static constexpr const char *name = "accuracy";
    template <class T> static void note(const Metric &metric, const MetricPanel<T> &panel, double *values, Index) {
        const Index columns = panel.output.columns;
        if (metric.description.columns) {
            for (Index r = 0; r < panel.output.rows; ++r) {
                const T *y = output_row(metric, panel, r);
                Index right = 0;
                for (Index j = 0; j < columns; ++j) right += (y[j] > static_cast<T>(metric.description.threshold)) == says_yes(panel, r, j);
                values[r] = static_cast<double>(right) / static_cast<double>(columns);
            }
            return;
        }
        panel.kernels->argmax(panel.output, panel.classes);
        for (Index r = 0; r < panel.output.rows; ++r) values[r] = panel.classes[r] == target_class(panel, r);
    }
};

// The target's class is among the k largest outputs, the first of equals first.
struct TopK : Mean {
    static constexpr const char *name = "top_k_accuracy";
    static void check(const Metric &metric, TargetKind) {
        if (metric.description.columns || metric.outputs <= metric.description.k)
            refuse(metric, "with k = " + std::to_string(metric.description.k) + " needs more classes than that; " + outputs_of(metric));
    }
    template <class T> static void note(const Metric &metric, const MetricPanel<T> &panel, double *values, Index) {
        for (Index r = 0; r < panel.output.rows; ++r) {
            const T *z = panel.output.data + r * panel.output.stride; // no activation changes the order
            const Index t = target_class(panel, r);
            std::int32_t before = 0;
            for (Index j = 0; j < t; ++j) before += z[j] >= z[t];
            for (Index j = t + 1; j < panel.output.columns; ++j) before += z[j] > z[t];
            values[r] = before < metric.description.k;
        }
    }
};

// Counts of what was found, what was claimed and what there was: of yes among yes and no, or of each class.
struct Confusion : Mean {
    struct Counts {
        double found, claimed, there;
    };
    static Index values(const Metric &metric) { return metric.description.columns ? 3 : 2; }
    static Index sums(const Metric &metric) { return metric.description.columns ? 3 : 3 * metric.outputs; }
    template <class T> static void note(const Metric &metric, const MetricPanel<T> &panel, double *values, Index stride) {
        if (!metric.description.columns) panel.kernels->argmax(panel.output, panel.classes);
        for (Index r = 0; r < panel.output.rows; ++r) {
            if (!metric.description.columns) {
                values[r] = panel.classes[r];
                values[stride + r] = target_class(panel, r);
                continue;
            }
            const T *y = output_row(metric, panel, r);
            Index found = 0, claimed = 0, there = 0;
            for (Index j = 0; j < panel.output.columns; ++j) {
                const bool claim = y[j] > static_cast<T>(metric.description.threshold), yes = says_yes(panel, r, j);
                found += claim && yes;
                claimed += claim;
                there += yes;
            }
            values[r] = static_cast<double>(found);
            values[stride + r] = static_cast<double>(claimed);
            values[2 * stride + r] = static_cast<double>(there);
        }
    }
    static void add(const Metric &metric, const double *values, Index stride, Index rows, MetricState &state) {
        if (metric.description.columns) return Mean::add(metric, values, stride, rows, state);
        for (Index r = 0; r < rows; ++r) { // whole numbers: exact in any order
            const auto claim = static_cast<std::size_t>(values[r]), target = static_cast<std::size_t>(values[stride + r]);
            state.sums[3 * claim] += claim == target;
            ++state.sums[3 * claim + 1];
            ++state.sums[3 * target + 2];
        }
    }
    // Of two classes the second is yes; of more, the mean over those that were claimed or there.
    template <class Ratio> static double mean(const Metric &metric, const MetricState &state, Ratio ratio) {
        const auto of = [&](Index c) { return ratio(Counts{state.sums[at(3 * c)], state.sums[at(3 * c + 1)], state.sums[at(3 * c + 2)]}); };
        if (metric.description.columns) return of(0);
        if (metric.outputs == 2) return of(1);
        double total = 0;
        Index classes = 0;
        for (Index c = 0; c < metric.outputs; ++c) {
            if (state.sums[at(3 * c + 1)] + state.sums[at(3 * c + 2)] == 0) continue;
            total += of(c);
            ++classes;
        }
        return total / static_cast<double>(classes);
    }
};

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

struct Precision : Confusion {
    static constexpr const char *name = "precision";
    static double finish(const Metric &metric, const MetricState &state, Index) {
        return mean(metric, state, [](Counts n) { return share(n.found, n.claimed); });
    }
};

struct Recall : Confusion {
    static constexpr const char *name = "recall";
    static double finish(const Metric &metric, const MetricState &state, Index) {
        return mean(metric, state, [](Counts n) { return share(n.found, n.there); });
    }
};

struct F1 : Confusion {
    static constexpr const char *name = "f1";
    static double finish(const Metric &metric, const MetricState &state, Index) {
        return mean(metric, state, [](Counts n) { return share(2 * n.found, n.claimed + n.there); });
    }
};

// The area under the receiver operating characteristic, exactly: the chance that a positive row's score is above a negative
// one's, ties counted half (Hanley & McNeil, "The meaning and use of the area under a ROC curve", 1982).
struct Auc : Mean {
    static constexpr const char *name = "auc";
    static constexpr bool at_end = true;
    static Index values(const Metric &) { return 2; }
    static Index sums(const Metric &) { return 0; }
    static void check(const Metric &metric, TargetKind) {
        if (metric.outputs > (metric.description.columns ? 1 : 2))
            refuse(metric, "needs one output, or one for each of two classes; " + outputs_of(metric));
    }
    template <class T> static void note(const Metric &metric, const MetricPanel<T> &panel, double *values, Index stride) {
        for (Index r = 0; r < panel.output.rows; ++r) {
            const T *z = panel.output.data + r * panel.output.stride; // no activation changes the order
            const bool one = metric.description.columns;
            values[r] = one ? static_cast<double>(z[0]) : static_cast<double>(z[1]) - static_cast<double>(z[0]);
            values[stride + r] = one ? says_yes(panel, r, 0) : target_class(panel, r) == 1;
        }
    }
    static void add(const Metric &, const double *values, Index stride, Index rows, MetricState &state) {
        for (Index r = 0; r < rows; ++r) state.scores.push_back({values[r], values[stride + r] != 0});
    }
    static double finish(const Metric &, const MetricState &state, Index) {
        std::vector<MetricState::Score> scores = state.scores;
        for (const auto &score : scores)
            if (score.value != score.value) return score.value;
        std::sort(scores.begin(), scores.end(), [](const auto &a, const auto &b) { return a.value < b.value; });
        std::uint64_t wins = 0, negatives = 0, positives = 0; // wins in halves: below 2⁶³ for 2³¹ rows
        for (std::size_t i = 0; i < scores.size();) {
            std::uint64_t yes = 0, no = 0;
            for (const double value = scores[i].value; i < scores.size() && scores[i].value == value; ++i)
                ++(scores[i].positive ? yes : no);
            wins += yes * (2 * negatives + no);
            positives += yes;
            negatives += no;
        }
        if (positives == 0 || negatives == 0) return std::numeric_limits<double>::quiet_NaN();
        return static_cast<double>(wins) / static_cast<double>(2 * positives * negatives);
    }
};

// Metrics that compare numbers with numbers.
struct Error : Mean {
    static void check(const Metric &metric, TargetKind target) {
        if (target == TargetKind::labels)
            refuse(metric, "compares numbers, and the targets are class labels; give one-hot rows, or use 'accuracy'");
    }
};

struct MeanAbsoluteError : Error {
    static constexpr const char *name = "mae";
    template <class T> static void note(const Metric &metric, const MetricPanel<T> &panel, double *values, Index) {
        for (Index r = 0; r < panel.output.rows; ++r) {
            const T *y = output_row(metric, panel, r), *t = target_values(panel, r);
            values[r] =
                sum_columns(metric.outputs, [=](Index j) { return std::abs(static_cast<double>(y[j]) - static_cast<double>(t[j])); }) /
                static_cast<double>(metric.outputs);
        }
    }
};

double square(double x) { return x * x; }

struct MeanSquaredError : Error {
    static constexpr const char *name = "mse";
    template <class T> static void note(const Metric &metric, const MetricPanel<T> &panel, double *values, Index) {
        for (Index r = 0; r < panel.output.rows; ++r) {
            const T *y = output_row(metric, panel, r), *t = target_values(panel, r);
            values[r] =
                sum_columns(metric.outputs, [=](Index j) { return square(static_cast<double>(y[j]) - static_cast<double>(t[j])); }) /
                static_cast<double>(metric.outputs);
        }
    }
};

// 1 - Σ (t - y)² / Σ (t - mean t)², the mean over columns. Targets are taken relative to the data set's first row, lest their
// mean drown their differences.
struct R2 : Error {
    static constexpr const char *name = "r2";
    static Index values(const Metric &metric) { return 3 * metric.outputs; }
    static Index sums(const Metric &metric) { return 3 * metric.outputs; }
    template <class T> static void note(const Metric &metric, const MetricPanel<T> &panel, double *values, Index stride) {
        // Columns at a time: each writes to three vectors, and the lines of many share few sets of the cache. 128×40: 13 µs, at once 34.
        const Index few = metric.activation < 0 ? 8 : metric.outputs;
        for (Index first = 0; first < metric.outputs; first += few)
            for (Index r = 0; r < panel.output.rows; ++r) {
                const T *y = output_row(metric, panel, r), *t = target_values(panel, r), *origin = panel.targets.values;
                for (Index j = first; j < std::min(metric.outputs, first + few); ++j) {
                    const double target = static_cast<double>(t[j]), from = target - static_cast<double>(origin[j]);
                    double *column = values + 3 * j * stride + r;
                    column[0] = square(target - static_cast<double>(y[j]));
                    column[stride] = from;
                    column[2 * stride] = square(from);
                }
            }
    }
    static double finish(const Metric &metric, const MetricState &state, Index rows) {
        double total = 0;
        for (Index j = 0; j < metric.outputs; ++j) {
            const double *sums = state.sums.data() + 3 * j;
            const double spread = sums[2] - square(sums[1]) / static_cast<double>(rows);
            // Targets without any spread can be met, which is as good as can be, or not.
            total += spread > 0 ? 1 - sums[0] / spread : sums[0] == 0 ? 1 : 0;
        }
        return total / static_cast<double>(metric.outputs);
    }
};

// Outputs are handed over together: an activation that the loss has taken is applied in memory of its own.
struct Host : Mean {
    static constexpr const char *name = "host";
    template <class T> static void note(const Metric &metric, const MetricPanel<T> &panel, double *values, Index) {
        const auto &host = of_type<T>(*metric.description.host);
        if (metric.activation < 0) return host(panel.output, panel.targets, values);
        Buffer<T> y(panel.output.rows * panel.output.columns);
        for (Index r = 0; r < panel.output.rows; ++r)
            std::copy_n(output_row(metric, panel, r), panel.output.columns, y.data() + r * panel.output.columns);
        host({y.data(), panel.output.rows, panel.output.columns, panel.output.columns}, panel.targets, values);
    }
};

template <class Row> constexpr MetricRow row_of() {
    return {Row::name,
            Row::check,
            Row::values,
            Row::sums,
            [](const Metric &metric, const MetricPanel<float> &panel, double *values, Index stride) {
                Row::note(metric, panel, values, stride);
            },
            [](const Metric &metric, const MetricPanel<double> &panel, double *values, Index stride) {
                Row::note(metric, panel, values, stride);
            },
            Row::add,
            Row::finish,
            Row::at_end};
}

constexpr MetricRow table[] = {row_of<Accuracy>(), row_of<TopK>(), row_of<Precision>(),         row_of<Recall>(),
                               row_of<F1>(),       row_of<Auc>(),  row_of<MeanAbsoluteError>(), row_of<MeanSquaredError>(),
                               row_of<R2>()};

constexpr MetricRow host_row = row_of<Host>();

} // namespace

void MetricState::clear() {
    std::fill(sums.begin(), sums.end(), 0.0);
    scores.clear();
}

void MetricState::add(MetricState &&later) {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += later.sums[i];
    if (scores.empty()) scores = std::move(later.scores);
    else scores.insert(scores.end(), later.scores.begin(), later.scores.end());
}

Index Metric::values() const { return row->values(*this); }
MetricState Metric::begin() const { return {std::vector<double>(at(row->sums(*this))), {}}; }
double Metric::finish(const MetricState &state, Index rows) const { return row->finish(*this, state, rows); }
bool Metric::at_end() const { return row->at_end; }

std::span<const MetricRow> metrics() { return table; }

Metric make_metric(MetricDescription description, Index outputs, TargetKind target) {
    const MetricRow &row = description.host ? host_row : find_row(metrics(), description.name, "metric");
    Metric metric{&row, std::move(description), outputs};
    if (outputs == 1) metric.description.columns = true;
    row.check(metric, target);
    return metric;
}

template <> void note(const Metric &metric, const MetricPanel<float> &panel, double *values, Index stride) {
    metric.row->note_float(metric, panel, values, stride);
}
template <> void note(const Metric &metric, const MetricPanel<double> &panel, double *values, Index stride) {
    metric.row->note_double(metric, panel, values, stride);
}

} // namespace ganglion
