/* A result compared with the paper's figures. */
#ifndef SCARLET_SRC_VERIFY_EXPECT_H
#define SCARLET_SRC_VERIFY_EXPECT_H

#include "common/command.h"
#include "result.h"

/* Figures of a network of the paper, or "TOP1:TOP5"; a usage error otherwise. */
void expected_figures(const cli_command *command, const char *text, double figures[2]);
/* Reports and returns false if top-1 is less, in percent. */
bool result_at_least(const result *r, double top1);
/* Compares and reports; false if off by more than 0.05. */
bool result_expect(const result *r, const char *text, const double figures[2]);

#endif
