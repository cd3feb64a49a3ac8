/*
 * C++ side of libscarlet: header only, C++11 and later, over scarlet.h, which is the manual.
 *
 * Objects are move-only handles that free what they own. Each function that can fail takes a
 * `scarlet::Error *` last: without one it throws scarlet::Exception; with one it reports there and
 * throws nothing of its own. An object that could not be made is empty (false), which is all that a
 * program compiled without exceptions learns if it passes none. Functions that return a std::vector
 * may throw std::bad_alloc as any vector; those on pointers and on std::span (C++20) do not.
 *
 *     scarlet::Model model("model.safetensors");
 *     scarlet::Session session(model);
 *     for (auto &best : session.classify(scarlet::Image("picture.jpg"), 3))
 *         std::printf("%5.1f %%  %s\n", 100 * best.score, model.label(best.class_id));
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SCARLET_SCARLET_HPP
#define SCARLET_SCARLET_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#if __cplusplus >= 202002L
#include <span>
#endif
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS)
#include <stdexcept>
#define SCARLET__EXCEPTIONS
#endif

#include <scarlet/scarlet.h>

namespace scarlet
{

/* How a call ended. */
class Error
{
  public:
    Error() noexcept : value_() {}
    explicit operator bool() const noexcept { return value_.status != SCARLET_OK; }
    scarlet_status status() const noexcept { return static_cast<scarlet_status>(value_.status); }
    int detail() const noexcept { return value_.detail; } /* errno for SCARLET_ERROR_IO */
    const char *message() const noexcept { return value_.message; }
    scarlet_error *get() noexcept { return &value_; }

  private:
    scarlet_error value_;
};

#ifdef SCARLET__EXCEPTIONS
/* What is thrown where no Error is passed; what() is the library's text. */
class Exception : public std::runtime_error
{
  public:
    explicit Exception(const Error &error) : std::runtime_error(error.message()), error_(error) {}
    const Error &error() const noexcept { return error_; }
    scarlet_status status() const noexcept { return error_.status(); }

  private:
    Error error_;
};
#endif

namespace detail
{

/* Runs one call of the library and says whether it succeeded: call(scarlet_error *). */
template <class Call> bool run(Error *error, Call call)
{
    Error own;
    Error &report = error ? *error : own;
    report = Error();
    if (call(report.get()) == SCARLET_OK)
        return true;
#ifdef SCARLET__EXCEPTIONS
    if (!error)
        throw Exception(own);
#endif
    return false;
}

/* Owns one object of the library, or nothing. */
template <class T, void (*Free)(T *)> class Handle
{
  public:
    explicit Handle(T *object = nullptr) noexcept : object_(object) {}
    Handle(Handle &&other) noexcept : object_(other.release()) {}
    Handle &operator=(Handle &&other) noexcept
    {
        Handle moved(std::move(other));
        std::swap(object_, moved.object_);
        return *this;
    }
    Handle(const Handle &) = delete;
    Handle &operator=(const Handle &) = delete;
    ~Handle() { Free(object_); }

    explicit operator bool() const noexcept { return object_ != nullptr; }
    T *get() const noexcept { return object_; } /* for calls of scarlet.h */
    T *release() noexcept
    {
        T *object = object_;
        object_ = nullptr;
        return object;
    }

  protected:
    T **out() noexcept { return &object_; } /* only while empty */

  private:
    T *object_;
};

} // namespace detail

/* Settings; empty ones take no memory and mean the defaults. Changes can be chained. */
class Options : public detail::Handle<scarlet_options, scarlet_options_free>
{
  public:
    using Handle::Handle;
    /* "threads=4,layout=nhwc" */
    explicit Options(const char *text, Error *error = nullptr) { parse(text, error); }

    Options &parse(const char *text, Error *error = nullptr)
    {
        detail::run(error,
                    [&](scarlet_error *e) { return scarlet_options_parse(made(), text, e); });
        return *this;
    }
    Options &set(scarlet_option key, std::int64_t value, Error *error = nullptr)
    {
        detail::run(error,
                    [&](scarlet_error *e) { return scarlet_options_set(made(), key, value, e); });
        return *this;
    }
    Options &set_normalization(const float (&mean)[3], const float (&std)[3],
                               Error *error = nullptr)
    {
        detail::run(error, [&](scarlet_error *e) {
            return scarlet_options_set_normalization(made(), mean, std, e);
        });
        return *this;
    }

  private:
    scarlet_options *made() noexcept
    {
        if (!get())
            *out() = scarlet_options_create();
        return get();
    }
};

/* Names of classes. */
class Labels : public detail::Handle<scarlet_labels, scarlet_labels_free>
{
  public:
    using Handle::Handle;
    explicit Labels(const std::string &path, Error *error = nullptr)
    {
        detail::run(error,
                    [&](scarlet_error *e) { return scarlet_labels_load(path.c_str(), out(), e); });
    }
    static Labels builtin(const char *name, Error *error = nullptr)
    {
        Labels labels;
        detail::run(
            error, [&](scarlet_error *e) { return scarlet_labels_builtin(name, labels.out(), e); });
        return labels;
    }
    const char *operator[](std::int32_t class_id) const noexcept /* NULL out of range */
    {
        return scarlet_labels_get(get(), class_id);
    }
    std::size_t size() const noexcept { return scarlet_labels_count(get()); }
};

/* A picture. */
class Image : public detail::Handle<scarlet_image, scarlet_image_free>
{
  public:
    using Handle::Handle;
    explicit Image(const std::string &path, Error *error = nullptr) : Image(path, Options(), error)
    {
    }
    Image(const std::string &path, const Options &options, Error *error = nullptr)
    {
        detail::run(error, [&](scarlet_error *e) {
            return scarlet_image_load(path.c_str(), options.get(), out(), e);
        });
    }
    static Image decode(const void *data, std::size_t size, const Options &options = Options(),
                        Error *error = nullptr)
    {
        Image image;
        detail::run(error, [&](scarlet_error *e) {
            return scarlet_image_decode(data, size, options.get(), image.out(), e);
        });
        return image;
    }
    /* The caller's pixels; they must outlive the picture, unless `release` is called with them at
     * its end. */
    static Image wrap(const void *pixels, std::uint32_t width, std::uint32_t height,
                      std::size_t stride, scarlet_pixels format,
                      scarlet_release_fn release = nullptr, void *user = nullptr,
                      Error *error = nullptr)
    {
        Image image;
        detail::run(error, [&](scarlet_error *e) {
            return scarlet_image_wrap(pixels, width, height, stride, format, release, user,
                                      image.out(), e);
        });
        return image;
    }
    Image resize(std::uint32_t new_width, std::uint32_t new_height, Error *error = nullptr) const
    {
        Image image;
        detail::run(error, [&](scarlet_error *e) {
            return scarlet_image_resize(get(), new_width, new_height, SCARLET_FILTER_BILINEAR,
                                        image.out(), e);
        });
        return image;
    }
    std::uint32_t width() const noexcept
    {
        std::uint32_t value = 0;
        scarlet_image_pixels(get(), &value, nullptr, nullptr, nullptr);
        return value;
    }
    std::uint32_t height() const noexcept
    {
        std::uint32_t value = 0;
        scarlet_image_pixels(get(), nullptr, &value, nullptr, nullptr);
        return value;
    }

#if __cplusplus >= 202002L
    static Image decode(std::span<const std::byte> data, const Options &options = Options(),
                        Error *error = nullptr)
    {
        return decode(data.data(), data.size(), options, error);
    }
#endif
};

/* A loaded network: any number of threads may use it. */
class Model : public detail::Handle<scarlet_model, scarlet_model_free>
{
  public:
    using Handle::Handle;
    explicit Model(const std::string &path, Error *error = nullptr) : Model(path, Options(), error)
    {
    }
    Model(const std::string &path, const Options &options, Error *error = nullptr)
    {
        detail::run(error, [&](scarlet_error *e) {
            return scarlet_model_load(path.c_str(), options.get(), out(), e);
        });
    }
    static Model from_memory(const void *data, std::size_t size, const Options &options = Options(),
                             Error *error = nullptr)
    {
        Model model;
        detail::run(error, [&](scarlet_error *e) {
            return scarlet_model_load_memory(data, size, options.get(), model.out(), e);
        });
        return model;
    }
    const char *name() const noexcept { return scarlet_model_name(get()); }
    const char *genotype() const noexcept { return scarlet_model_genotype(get()); }
    const char *label(std::int32_t class_id) const noexcept /* NULL if it has none */
    {
        return scarlet_model_label(get(), class_id);
    }
    const char *metadata(const char *key) const noexcept /* NULL if absent */
    {
        return scarlet_model_metadata(get(), key);
    }
    std::int64_t info(scarlet_info what) const noexcept { return scarlet_model_get(get(), what); }
    std::int64_t info(std::size_t layer, scarlet_info what) const noexcept
    {
        return scarlet_model_layer_get(get(), layer, what);
    }
    /* Picture options as the model's file asks. */
    Options options(Error *error = nullptr) const
    {
        scarlet_options *made = nullptr;
        detail::run(error,
                    [&](scarlet_error *e) { return scarlet_model_options(get(), &made, e); });
        return Options(made);
    }

#if __cplusplus >= 202002L
    static Model from_memory(std::span<const std::byte> data, const Options &options = Options(),
                             Error *error = nullptr)
    {
        return from_memory(data.data(), data.size(), options, error);
    }
#endif
};

/* What runs a model: one thread at a time, so take one session a thread. */
class Session : public detail::Handle<scarlet_session, scarlet_session_free>
{
  public:
    using Handle::Handle;
    explicit Session(const Model &model, Error *error = nullptr) : Session(model, Options(), error)
    {
    }
    Session(const Model &model, const Options &options, Error *error = nullptr)
    {
        detail::run(error, [&](scarlet_error *e) {
            return scarlet_session_create(model.get(), options.get(), out(), e);
        });
    }
    std::int64_t info(scarlet_info what) const noexcept { return scarlet_session_get(get(), what); }
    /* Floats a picture that infer writes. */
    std::size_t output_length() const noexcept
    {
        std::int64_t length = info(SCARLET_INFO_OUTPUT_LENGTH);
        return length > 0 ? static_cast<std::size_t>(length) : 0;
    }

    /* The session's own input buffer of *length floats: fill it and pass it to infer to save a
     * copy. */
    float *input(std::size_t *length) noexcept { return scarlet_session_input(get(), length); }
    bool infer(const float *input, std::size_t input_length, std::size_t batch, float *scores,
               std::size_t scores_length, Error *error = nullptr)
    {
        return detail::run(error, [&](scarlet_error *e) {
            return scarlet_infer(get(), input, input_length, batch, scores, scores_length, e);
        });
    }
    /* batch x output_length scores; none after a failure. */
    std::vector<float> infer(const std::vector<float> &input, std::size_t batch = 1,
                             Error *error = nullptr)
    {
        bool possible = static_cast<std::int64_t>(batch) <= info(SCARLET_INFO_BATCH_MAX);
        std::vector<float> scores(possible ? batch * output_length() : 1);
        if (!infer(input.data(), input.size(), batch, scores.data(), scores.size(), error))
            scores.clear();
        return scores;
    }
    /* The k most probable classes; returns how many were written to `best`, 0 after a failure. */
    std::size_t classify(const Image &image, std::size_t k, scarlet_prediction *best,
                         const Options &options = Options(), Error *error = nullptr)
    {
        std::size_t count = 0;
        detail::run(error, [&](scarlet_error *e) {
            return scarlet_classify(get(), image.get(), options.get(), k, best, &count, e);
        });
        return count;
    }
    std::vector<scarlet_prediction> classify(const Image &image, std::size_t k,
                                             const Options &options = Options(),
                                             Error *error = nullptr)
    {
        std::size_t classes = output_length();
        std::vector<scarlet_prediction> best((k < classes ? k : classes) + 1); /* never empty */
        best.resize(classify(image, k, best.data(), options, error));
        return best;
    }

#if __cplusplus >= 202002L
    std::span<float> input() noexcept
    {
        std::size_t length = 0;
        float *values = scarlet_session_input(get(), &length);
        return {values, length};
    }
    bool infer(std::span<const float> input, std::size_t batch, std::span<float> scores,
               Error *error = nullptr)
    {
        return infer(input.data(), input.size(), batch, scores.data(), scores.size(), error);
    }
#endif
};

/* 3 x crop x crop floats; none after a failure. */
inline std::vector<float> preprocess(const Image &image, const Options &options = Options(),
                                     Error *error = nullptr)
{
    std::int64_t crop = 0;
    if (!options || scarlet_options_get(options.get(), SCARLET_OPT_CROP, &crop, nullptr) != 0 ||
        crop < 1)
        crop = 224;
    std::size_t side = static_cast<std::size_t>(crop);
    std::vector<float> values(3 * side * side);
    if (!detail::run(error, [&](scarlet_error *e) {
            return scarlet_preprocess(image.get(), options.get(), values.data(), values.size(), e);
        }))
        values.clear();
    return values;
}

/* Probabilities of scores, in their place. */
inline void softmax(std::vector<float> &scores) noexcept
{
    scarlet_softmax(scores.data(), scores.size(), scores.data());
}

/* The min(k, n) largest, in descending order. */
inline std::vector<scarlet_prediction> topk(const std::vector<float> &scores, std::size_t k)
{
    std::vector<scarlet_prediction> best(k < scores.size() ? k : scores.size());
    best.resize(scarlet_topk(scores.data(), scores.size(), best.size(), best.data()));
    return best;
}

/* Any checkpoint to safetensors; labels may be empty. */
inline bool convert(const std::string &source, const std::string &target,
                    const Labels &labels = Labels(), const Options &options = Options(),
                    Error *error = nullptr)
{
    return detail::run(error, [&](scarlet_error *e) {
        return scarlet_convert(source.c_str(), target.c_str(), labels.get(), options.get(), e);
    });
}

} // namespace scarlet

#undef SCARLET__EXCEPTIONS

#endif
