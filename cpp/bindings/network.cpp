#include "batches.hpp"
#include "handles.hpp"
#include "host.hpp"
#include <pybind11/stl.h>
#include <pybind11/typing.h>

namespace ganglion::bindings {
namespace {

NetworkHandle make(Index inputs, const std::vector<LayerDescription> &layers, const std::string &dtype, std::uint64_t seed) {
    Architecture net = build_architecture(inputs, layers);
    if (dtype == "float32") return {make_network<float>(std::move(net), seed)};
    if (dtype == "float64") return {make_network<double>(std::move(net), seed)};
    throw std::invalid_argument("unknown dtype '" + dtype + "'; known: 'float32', 'float64'");
}

template <class Result, class Function> Result with(const NetworkHandle &handle, Function function) {
    return std::visit([&](const auto &network) -> Result { return function(*network); }, handle.network);
}

const Architecture &architecture(const NetworkHandle &handle) {
    return with<const Architecture &>(handle, [](const auto &network) -> const Architecture & { return network.architecture; });
}

py::list parameters(const py::object &self) {
    const auto &handle = self.cast<const NetworkHandle &>();
    return with<py::list>(handle, [&](const auto &network) {
        py::list views;
        for (const Parameter &parameter : network.architecture.parameters) {
            const std::vector<py::ssize_t> shape = parameter.is_kernel ? std::vector<py::ssize_t>{parameter.rows, parameter.columns}
                                                                       : std::vector<py::ssize_t>{parameter.columns};
            views.append(read_only_view(network.parameters.values.data() + parameter.offset, shape, parameter.stride, self));
        }
        return views;
    });
}

template <class T> void assign_to(Network<T> &network, std::size_t index, const py::array &value) {
    if (index >= network.architecture.parameters.size()) throw py::index_error("there is no parameter " + std::to_string(index));
    const MatrixView<const T> view = matrix_of<T>(value, "value");
    const Claim claim(network.busy);
    if (!claim) throw std::runtime_error("the network is being trained in another thread; wait until that run is done");
    assign(network, index, view);
}

constexpr Index few_multiplications = 50000; // a microsecond
constexpr Index of_an_input = 10;            // take as long as reading it

template <class T> py::array output_for(const Context &context, const Network<T> &network, const Source &source) {
    const Index n = std::visit([](const auto &view) { return view.rows; }, source);
    py::array_t<T> out({n, network.architecture.outputs});
    const MatrixView<T> view{out.mutable_data(), n, network.architecture.outputs, network.architecture.outputs};
    // Letting others run takes as long as a small pass of this thread alone.
    const Architecture &net = network.architecture;
    if (context.threads <= 1 && (net.parameter_elements + of_an_input * net.inputs) * n < few_multiplications) {
        predict(context, network, source, view);
        return out;
    }
    Signals signals;
    {
        const py::gil_scoped_release release;
        predict(context, network, source, view, [&signals] { return signals.arrived(); });
    }
    signals.raise();
    return out;
}

py::array checked_predict(const NetworkHandle &self, const Context &context, const py::array &x) {
    const Source source = source_of(x);
    const Index features = std::visit([](const auto &view) { return view.columns; }, source), expected = architecture(self).inputs;
    if (features != expected)
        throw py::value_error("x has " + std::to_string(features) + " features; the network was built for " + std::to_string(expected));
    return with<py::array>(self, [&](const auto &network) { return output_for(context, network, source); });
}

py::object try_predict(const NetworkHandle &self, const Context &context, const py::object &x) {
    Source source;
    if (!read_features(x, architecture(self).inputs, source)) return py::none();
    return with<py::object>(self, [&](const auto &network) { return output_for(context, network, source); });
}

} // namespace

void bind_network(py::module_ &module) {
    py::class_<InitializerDescription>(module, "Initializer", "An initializer as the core is told of it; its name alone will do.")
        .def(py::init<std::string, double, double>(), py::arg("name"), py::arg("first") = 0.0, py::arg("second") = 0.0);
    py::implicitly_convertible<py::str, InitializerDescription>();
    py::class_<DenseLayer>(module, "Dense", "A dense layer as the core is told of it.")
        .def(py::init<std::string, Index, bool, std::string, double, InitializerDescription, InitializerDescription>(), py::arg("name"),
             py::arg("units"), py::arg("use_bias"), py::arg("activation"), py::arg("alpha"), py::arg("kernel_initializer"),
             py::arg("bias_initializer"))
        .def_readwrite("l1", &DenseLayer::l1, "Of the kernel's penalty l1 Σ |w| + l2 Σ w².")
        .def_readwrite("l2", &DenseLayer::l2);
    py::class_<ActivationLayer>(module, "Activation", "An activation layer as the core is told of it.")
        .def(py::init<std::string, std::string, double>(), py::arg("name"), py::arg("activation"), py::arg("alpha"));
    py::class_<DropoutLayer>(module, "Dropout", "A dropout layer as the core is told of it.")
        .def(py::init<std::string, double>(), py::arg("name"), py::arg("rate"));
    py::class_<NormalizationLayer>(module, "Normalization",
                                   "A normalization of columns over the batch or of rows, as the core is told of it.")
        .def(py::init<std::string, bool, double, double, bool, bool>(), py::arg("name"), py::arg("over_batch"), py::arg("epsilon"),
             py::arg("momentum") = 0.0, py::arg("center") = true, py::arg("scale") = true);
    py::class_<RescaleLayer>(module, "Rescale", "A rescale layer as the core is told of it.")
        .def(py::init<std::string, double, double>(), py::arg("name"), py::arg("scale"), py::arg("offset"));
    py::class_<CustomLayer>(module, "Custom", "A layer of the caller's own, as the core is told of it.")
        .def(py::init([](std::string name, py::typing::Callable<py::object(py::object)> forward,
                         py::typing::Callable<py::object(py::object, py::object, py::object)> backward) {
                 return CustomLayer{std::move(name), host_layer(std::move(forward), std::move(backward))};
             }),
             py::arg("name"), py::arg("forward"), py::arg("backward"));
    py::class_<FlattenLayer>(module, "Flatten", "A flatten layer as the core is told of it.").def(py::init<std::string>(), py::arg("name"));
    py::class_<NetworkHandle>(module, "Network", "A network: its architecture and its parameters, in one flat buffer.")
        .def(py::init(&make), py::arg("inputs"), py::arg("layers"), py::arg("dtype"), py::arg("seed"))
        .def_property_readonly("inputs", [](const NetworkHandle &self) { return architecture(self).inputs; })
        .def_property_readonly("outputs", [](const NetworkHandle &self) { return architecture(self).outputs; })
        .def_property_readonly("dtype",
                               [](const NetworkHandle &self) { return std::string(self.network.index() == 0 ? "float32" : "float64"); })
        .def_property_readonly(
            "version",
            [](const NetworkHandle &self) {
                return with<std::uint64_t>(self, [](const auto &network) { return network.parameters.version; });
            },
            "Raised by every write to the parameters.")
        .def("parameters", parameters, "Live read-only views: kernel (I, O), bias (O,) and the like of each layer in order.")
        .def_property_readonly(
            "trainable",
            [](const NetworkHandle &self) {
                py::tuple flags(architecture(self).parameters.size());
                for (std::size_t p = 0; p < flags.size(); ++p) flags[p] = architecture(self).parameters[p].trainable;
                return flags;
            },
            "Of each parameter, whether training changes it by gradients; the others are moving statistics.")
        .def(
            "assign",
            [](NetworkHandle &self, std::size_t index, const py::array &value) {
                with<void>(self, [&](auto &network) { assign_to(network, index, value); });
            },
            py::arg("index"), py::arg("value"), "Copies a finite array of the parameter's shape and the network's dtype into it.")
        .def("predict", &checked_predict, py::arg("context"), py::arg("x"),
             "The last layer's output (n, O) for rows of float32, float64 or uint8.")
        .def("try_predict", &try_predict, py::arg("context"), py::arg("x"),
             "The same for an array that can be read where it lies and has the right columns; None for anything else.");
}

} // namespace ganglion::bindings
