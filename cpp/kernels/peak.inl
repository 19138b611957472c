// Nothing but fused multiply-adds in registers: what the instruction set can do, and no product can exceed.

// Independent chains. Two units of latency 4 want 8 under way, three of latency 5 would want 15; two registers are left for
// factor and addend. The emulated fma wants the registers for itself.
constexpr int peak_chains = vector_registers >= 32 ? 16 : vector_registers >= 16 ? 12 : 4;

template <class T> constexpr Index peak_elements = peak_chains * Vec<T>::width;

template <class T> void peak(T *x, Index steps, T factor, T addend) {
    const Vec<T> f = Vec<T>::broadcast(factor), a = Vec<T>::broadcast(addend);
    Vec<T> chain[size_t{peak_chains}];
#pragma GCC unroll 16
    for (int i = 0; i < peak_chains; ++i) chain[i] = Vec<T>::load(x + i * Vec<T>::width);
    for (Index step = 0; step < steps; ++step) {
#pragma GCC unroll 16
        for (int i = 0; i < peak_chains; ++i) chain[i] = fma(chain[i], f, a);
    }
#pragma GCC unroll 16
    for (int i = 0; i < peak_chains; ++i) chain[i].store(x + i * Vec<T>::width);
}
