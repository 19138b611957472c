// Stochastic gradient descent beside the product that makes the gradient: it is used while in registers, and neither stored nor loaded.
// A step of 784-50-10 on 100 rows takes 1 to 2 % less; of 1-13-1 it took 4 % more, so the shortest products are followed by an update.

template <class Row> constexpr bool descends = false;
template <> constexpr bool descends<Sgd> = true;

template <class T> class Downhill {
    Descent<T> &descent_;
    const T constants_[2]; // read once: stores of weights might change those that are given
    Largest<T> largest_;

    template <class V> [[gnu::always_inline]] V moved(V w, V g) const {
        Sgd::step(w, g, g, g, constants_);
        return w;
    }

  public:
    [[gnu::always_inline]] explicit Downhill(Descent<T> &descent)
        : descent_(descent), constants_{descent.constants[0], descent.constants[1]},
          largest_{as_bits(Vec<T>::load(descent.largest.lanes))} {}
    [[gnu::always_inline]] ~Downhill() { as_float(largest_.bits).store(descent_.largest.lanes); }
    template <class V> [[gnu::always_inline]] void operator()(T *w, V gradient) {
        const V weights = moved(V::load(w), gradient);
        weights.store(w);
        largest_.add(whole(weights));
    }
    template <class V> [[gnu::always_inline]] void operator()(T *w, V gradient, Index n) {
        const V weights = moved(V::load(w, n), gradient);
        weights.store(w, n);
        largest_.add(inside(whole(weights), n, Choice<true>{}));
    }
};
