// SPDX-License-Identifier: GPL-2.0
// Patched bytes around the range a thread runs in instead of stepping through it.
#pragma once

#include <fence.h>
#include <stdint.h>

#include <memory>
#include <vector>

namespace ntrace::embedded
{

struct AddressSpace;

struct Fence {
	std::shared_ptr<AddressSpace> space;
	std::vector<uint64_t> posts;
};

} // namespace ntrace::embedded
