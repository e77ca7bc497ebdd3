// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string.h>

#include <string>

namespace ntrace
{

// Why something could not be done: the errno name, and text that names the cause and the remedy.
struct Failure {
	std::string code;
	std::string text;

	static Failure of(int error, const std::string &what, const std::string &remedy = "")
	{
		const char *name = strerrorname_np(error);
		std::string text = std::string(strerror(error)) + ", " + what;
		return {name ? name : "E" + std::to_string(error),
			remedy.empty() ? text : text + " (" + remedy + ")"};
	}
};

} // namespace ntrace
