// SPDX-License-Identifier: GPL-2.0
// Exits at once with 3.
int main(void)
{
	return 3;
}
