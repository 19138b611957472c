// Should two threads that update an array share it by rows or by columns, in tiles or row by row?
//
//     g++ -O3 -march=native -std=c++20 -pthread bench/micro/shared_arrays.cpp -o /tmp/shared_arrays && /tmp/shared_arrays
//
// Each thread updates half of p ← 0.999 p + q, 1296 × 512 numbers in rows 528 apart, again and again with 2 ms between; prints
// microseconds of both threads. On two cores of an AMD EPYC (Zen 4) private arrays took 49 in tiles and 33 row by row, halves by
// rows the same, halves by columns 58 to 118 in tiles and 66 to 522 row by row, changing with what the host does. A likely cause:
// a core's prefetchers run on past the half's edge and take lines from the other's cache.
// Hence the moments in strips of 32 columns: whoever owns columns owns whole runs of memory.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <pthread.h>
#include <sys/mman.h>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;
constexpr int rows = 1296, columns = 512, stride = 528, tile = 64, times = 150, warm = 20;

void stay_on(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

struct Arrays {
    float *p = make(), *q = make();
    static float *make() {
        const std::size_t page = 2 << 20, bytes = (rows * stride * sizeof(float) + page - 1) / page * page;
        auto *array = static_cast<float *>(std::aligned_alloc(page, bytes));
        madvise(array, bytes, MADV_HUGEPAGE);
        for (std::size_t i = 0; i < bytes / sizeof(float); ++i) array[i] = 1;
        return array;
    }
};

struct Part {
    Arrays arrays;
    int row, row_end, column, column_end;
};

void update(const Part &part, int row, int column, int row_end, int column_end) {
    for (int r = row; r < row_end; ++r)
        for (int c = column; c < column_end; ++c) {
            float &p = part.arrays.p[r * stride + c];
            p = p * 0.999f + part.arrays.q[r * stride + c];
        }
}

void by_tiles(const Part &part) {
    for (int c = part.column; c < part.column_end; c += tile)
        for (int r = part.row; r < part.row_end; r += tile) update(part, r, c, r + tile < part.row_end ? r + tile : part.row_end, c + tile);
}

void by_rows(const Part &part) { update(part, part.row, part.column, part.row_end, part.column_end); }

double microseconds(void (*way)(const Part &), const Part &part, int core) {
    stay_on(core);
    double sum = 0;
    for (int i = 0; i < times; ++i) {
        const auto start = Clock::now();
        way(part);
        asm volatile("" ::: "memory");
        const auto end = Clock::now();
        if (i >= warm) sum += std::chrono::duration<double, std::micro>(end - start).count();
        while (Clock::now() - end < std::chrono::milliseconds(2)) {
        }
    }
    return sum / (times - warm);
}

} // namespace

int main() {
    const Arrays shared, own[2];
    constexpr int half = rows / 2, middle = columns / 2;
    const auto parts = [&](int kind, int thread) -> Part {
        if (kind == 0) return {own[thread], 0, half, 0, columns};
        if (kind == 1) return {shared, 0, rows, thread * middle, (thread + 1) * middle};
        return {shared, thread * half, (thread + 1) * half, 0, columns};
    };
    const char *names[] = {"private arrays", "halves by columns", "halves by rows"};
    for (int round = 0; round < 4; ++round)
        for (int kind = 0; kind < 3; ++kind)
            for (const bool tiles : {true, false}) {
                double times_of[2];
                std::thread threads[2];
                for (int t = 0; t < 2; ++t)
                    threads[t] = std::thread([&, t] { times_of[t] = microseconds(tiles ? by_tiles : by_rows, parts(kind, t), t); });
                for (std::thread &thread : threads) thread.join();
                std::printf("%-18s %-5s %6.0f %6.0f µs\n", names[kind], tiles ? "tiles" : "rows", times_of[0], times_of[1]);
            }
}
