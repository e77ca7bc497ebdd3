// SPDX-License-Identifier: GPL-2.0
#include "exit_list.h"

#include <map>
#include <mutex>

namespace ntrace
{

namespace
{

struct List {
	std::mutex lock;
	std::map<int, std::function<void()>> entries;
	int last = 0;

	~List()
	{
		for (auto &entry : entries)
			entry.second();
	}
};

List &list()
{
	static List instance;
	return instance;
}

} // namespace

int ExitList::add(std::function<void()> fn)
{
	List &l = list();
	std::lock_guard<std::mutex> guard(l.lock);
	l.entries[++l.last] = std::move(fn);
	return l.last;
}

void ExitList::remove(int number)
{
	List &l = list();
	std::lock_guard<std::mutex> guard(l.lock);
	l.entries.erase(number);
}

} // namespace ntrace
