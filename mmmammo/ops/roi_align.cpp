// RoIAlign on CPU with the channels innermost, so that a corner is looked up once for all channels.
//
// Mask R-CNN (arXiv 1703.06870), section 3. A region is cut into rows x columns bins; a bin's result is the mean of its
// samples, each interpolated between the four nearest cells. A location up to one cell outside of the map counts as at
// its border, further out as nothing. Of `sampling` 0 a bin has as many samples a side as it has cells, rounded up.
//
// Layouts: features (images, channels, height, width) and out (regions, channels, rows, columns), both channels-last;
// regions (n, 5) as image, x1, y1, x2, y2, times `scale`; aligned moves them by half a cell, to the cells' centres.

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "processors.h"

namespace {

// Of a bin; regions that need more are of no image of this world, and would fill the memory.
constexpr int64_t MOST_SAMPLES = 1 << 20;

struct Problem {
  int64_t images, channels, height, width, regions, rows, columns, sampling;
  double scale;
  bool aligned;

  int64_t bins() const { return rows * columns; }
};

// Two cells along an axis and what they count; (0, 0) outside of the map.
template <typename T>
struct Pair {
  int64_t low, high;
  T low_share, high_share;
};

template <typename T>
INLINED Pair<T> between(T at, int64_t size) {
  if (!(at >= -1 && at <= size)) return {0, 0, 0, 0};
  at = std::max(at, T(0));
  const int64_t low = static_cast<int64_t>(at);
  if (low >= size - 1) return {size - 1, size - 1, 1, 0};
  return {low, low + 1, 1 - (at - low), at - low};
}

// What one region asks for: the cells of its samples along each axis, bin after bin.
template <typename T>
struct Region {
  int64_t image, down, across;  // samples of a bin
  bool known;                   // false where a corner is not finite
  std::vector<Pair<T>> ys, xs;

  T share() const { return T(1) / static_cast<T>(std::max<int64_t>(down * across, 1)); }
};

template <typename T>
void place(T begin, T length, int64_t bins, int64_t samples, int64_t size, std::vector<Pair<T>>& pairs) {
  const T bin = length / bins;
  pairs.clear();
  for (int64_t i = 0; i < bins; ++i) {
    for (int64_t k = 0; k < samples; ++k) pairs.push_back(between(begin + i * bin + (k + T(0.5)) * bin / samples, size));
  }
}

template <typename T>
int64_t samples_along(const Problem& p, T length, int64_t bins) {
  if (p.sampling > 0) return p.sampling;
  const T wanted = std::ceil(length / bins);
  return wanted > 0 ? static_cast<int64_t>(std::min(wanted, T(MOST_SAMPLES))) : 0;  // one that wants more is refused
}

template <typename T>
void read_region(const Problem& p, const T* given, Region<T>& region) {
  const T shift = p.aligned ? T(0.5) : T(0), scale = static_cast<T>(p.scale);
  const T x = given[1] * scale - shift, y = given[2] * scale - shift;
  T width = given[3] * scale - shift - x, height = given[4] * scale - shift - y;
  if (!p.aligned) width = std::max(width, T(1)), height = std::max(height, T(1));
  region.known = std::isfinite(x) && std::isfinite(y) && std::isfinite(width) && std::isfinite(height);
  region.image = static_cast<int64_t>(given[0]);
  if (!region.known) return;
  region.down = samples_along(p, height, p.rows);
  region.across = samples_along(p, width, p.columns);
  place(y, height, p.rows, region.down, p.height, region.ys);
  place(x, width, p.columns, region.across, p.width, region.xs);
}

template <typename T>
struct Corner {
  int64_t offset;  // of a cell from its image's first
  T weight;
};

// The cells of one bin, each with what it counts in the mean.
template <typename T>
INLINED int64_t corners_of(
    const Problem& p, const Region<T>& region, int64_t row, int64_t column, std::vector<Corner<T>>& corners) {
  corners.resize(4 * region.down * region.across);
  int64_t count = 0;
  for (int64_t i = row * region.down; i < (row + 1) * region.down; ++i) {
    const Pair<T>& y = region.ys[i];
    for (int64_t j = column * region.across; j < (column + 1) * region.across; ++j) {
      const Pair<T>& x = region.xs[j];
      const int64_t low = y.low * p.width, high = y.high * p.width;
      const Corner<T> found[4] = {
          {low + x.low, y.low_share * x.low_share},
          {low + x.high, y.low_share * x.high_share},
          {high + x.low, y.high_share * x.low_share},
          {high + x.high, y.high_share * x.high_share}};
      for (const auto& corner : found) {
        if (corner.weight != 0) corners[count++] = {corner.offset * p.channels, corner.weight * region.share()};
      }
    }
  }
  return count;
}

template <typename T>
INLINED void sum_corners(const Corner<T>* corners, int64_t count, const T* image, int64_t channels, T* out) {
  int64_t channel = 0;
  for (; channel + 32 <= channels; channel += 32) {
    typename Pack<T>::type sum[4] = {}, value;
    for (int64_t i = 0; i < count; ++i) {
#pragma GCC unroll 4
      for (int pack = 0; pack < 4; ++pack) {
        __builtin_memcpy(&value, image + corners[i].offset + channel + 8 * pack, sizeof(value));
        sum[pack] += corners[i].weight * value;
      }
    }
    __builtin_memcpy(out + channel, sum, sizeof(sum));
  }
  for (; channel < channels; ++channel) {
    T sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += corners[i].weight * image[corners[i].offset + channel];
    out[channel] = sum;
  }
}

template <typename T>
INLINED void pool(const Problem& p, const T* features, const T* regions, T* out, int64_t begin, int64_t end) {
  Region<T> region;
  std::vector<Corner<T>> corners;
  for (int64_t n = begin; n < end; ++n) {
    read_region(p, regions + 5 * n, region);
    T* result = out + n * p.bins() * p.channels;
    if (!region.known) {
      std::fill(result, result + p.bins() * p.channels, std::numeric_limits<T>::quiet_NaN());
      continue;
    }
    const T* image = features + region.image * p.height * p.width * p.channels;
    for (int64_t bin = 0; bin < p.bins(); ++bin) {
      const int64_t count = corners_of(p, region, bin / p.columns, bin % p.columns, corners);
      sum_corners(corners.data(), count, image, p.channels, result + bin * p.channels);
    }
  }
}

// All regions of images [begin, end): no two images write to the same cells, so that the sums have one order.
template <typename T>
INLINED void spread(const Problem& p, const T* grad, const T* regions, T* out, int64_t begin, int64_t end) {
  Region<T> region;
  std::vector<Corner<T>> corners;
  for (int64_t n = 0; n < p.regions; ++n) {
    const int64_t of = static_cast<int64_t>(regions[5 * n]);
    if (of < begin || of >= end) continue;
    read_region(p, regions + 5 * n, region);
    if (!region.known) continue;
    T* image = out + region.image * p.height * p.width * p.channels;
    for (int64_t bin = 0; bin < p.bins(); ++bin) {
      const int64_t count = corners_of(p, region, bin / p.columns, bin % p.columns, corners);
      const T* __restrict given = grad + (n * p.bins() + bin) * p.channels;
      for (int64_t i = 0; i < count; ++i) {
        T* __restrict target = image + corners[i].offset;
        for (int64_t channel = 0; channel < p.channels; ++channel) target[channel] += corners[i].weight * given[channel];
      }
    }
  }
}

FOR_EACH_PROCESSOR void pool_regions(
    const Problem& p, const float* features, const float* regions, float* out, int64_t begin, int64_t end) {
  pool(p, features, regions, out, begin, end);
}

FOR_EACH_PROCESSOR void pool_regions(
    const Problem& p, const double* features, const double* regions, double* out, int64_t begin, int64_t end) {
  pool(p, features, regions, out, begin, end);
}

FOR_EACH_PROCESSOR void spread_images(
    const Problem& p, const float* grad, const float* regions, float* out, int64_t begin, int64_t end) {
  spread(p, grad, regions, out, begin, end);
}

FOR_EACH_PROCESSOR void spread_images(
    const Problem& p, const double* grad, const double* regions, double* out, int64_t begin, int64_t end) {
  spread(p, grad, regions, out, begin, end);
}

Problem describe(
    at::IntArrayRef features, const at::Tensor& regions, int64_t rows, int64_t columns, double scale, int64_t sampling,
    bool aligned) {
  TORCH_CHECK(features.size() == 4 && regions.dim() == 2 && regions.size(1) == 5, "(n, c, h, w) and (n, 5) wanted");
  TORCH_CHECK(regions.is_contiguous() && rows > 0 && columns > 0, "contiguous regions and a size above 0 wanted");
  TORCH_CHECK(features[2] > 0 && features[3] > 0 || regions.size(0) == 0, "no cells to read");
  TORCH_CHECK(sampling * sampling <= MOST_SAMPLES, "fewer samples in a bin wanted");
  return {features[0], features[1], features[2], features[3], regions.size(0), rows, columns, sampling, scale, aligned};
}

// Before the threads begin, which cannot throw.
template <typename T>
void check_regions(const Problem& p, const T* regions) {
  for (int64_t n = 0; n < p.regions; ++n) {
    const T* one = regions + 5 * n;
    TORCH_CHECK(one[0] >= 0 && one[0] < p.images, "region ", n, " is of image ", one[0], ", of ", p.images);
    const T down = (one[4] - one[2]) * p.scale / p.rows + 2, across = (one[3] - one[1]) * p.scale / p.columns + 2;
    const bool known = std::isfinite(down) && std::isfinite(across);
    TORCH_CHECK(p.sampling > 0 || !known || down * across <= MOST_SAMPLES, "a region of ", down * across, " cells a bin");
  }
}

at::Tensor forward(
    const at::Tensor& features, const at::Tensor& regions, int64_t rows, int64_t columns, double scale,
    int64_t sampling, bool aligned) {
  const Problem problem = describe(features.sizes(), regions, rows, columns, scale, sampling, aligned);
  const at::Tensor cells = features.contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor out = at::empty(
      {problem.regions, problem.channels, rows, columns}, features.options(), at::MemoryFormat::ChannelsLast);
  AT_DISPATCH_FLOATING_TYPES(features.scalar_type(), "roi_align", [&] {
    const scalar_t *from = cells.const_data_ptr<scalar_t>(), *given = regions.const_data_ptr<scalar_t>();
    scalar_t* result = out.mutable_data_ptr<scalar_t>();
    check_regions(problem, given);
    at::parallel_for(0, problem.regions, 8, [&](int64_t begin, int64_t end) {
      pool_regions(problem, from, given, result, begin, end);
    });
  });
  return out;
}

at::Tensor backward(
    const at::Tensor& grad, const at::Tensor& regions, at::IntArrayRef size, double scale, int64_t sampling,
    bool aligned) {
  TORCH_CHECK(
      grad.dim() == 4 && size.size() == 4 && grad.size(0) == regions.size(0) && grad.size(1) == size[1],
      "(regions, channels, rows, columns) wanted");
  const Problem problem = describe(size, regions, grad.size(2), grad.size(3), scale, sampling, aligned);
  const at::Tensor given = grad.contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor out = at::empty(size, grad.options(), at::MemoryFormat::ChannelsLast).zero_();
  AT_DISPATCH_FLOATING_TYPES(grad.scalar_type(), "roi_align_backward", [&] {
    const scalar_t *from = given.const_data_ptr<scalar_t>(), *boxes = regions.const_data_ptr<scalar_t>();
    scalar_t* result = out.mutable_data_ptr<scalar_t>();
    check_regions(problem, boxes);
    at::parallel_for(0, problem.images, 1, [&](int64_t begin, int64_t end) {
      spread_images(problem, from, boxes, result, begin, end);
    });
  });
  return out;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(mmmammo, library) {
  library.def(
      "roi_align(Tensor features, Tensor regions, int rows, int columns, float scale, int sampling, bool aligned)"
      " -> Tensor");
  library.def(
      "roi_align_backward(Tensor grad, Tensor regions, int[] size, float scale, int sampling, bool aligned) -> Tensor");
}

TORCH_LIBRARY_IMPL(mmmammo, CPU, library) {
  library.impl("roi_align", forward);
  library.impl("roi_align_backward", backward);
}
