#include "nas/units/unit.h"

#include "nas/units/block.h"
#include "nas/units/linear.h"

size_t scarlet__unit_kept(const scarlet__unit *unit, int pictures)
{
    switch (unit->kind) {
    case SCARLET__UNIT_ENTRY:
    case SCARLET__UNIT_BLOCK:
        return scarlet__block_kept(unit, pictures);
    case SCARLET__UNIT_TAIL:
        return scarlet__tail_kept(unit, pictures);
    default:
        return 0;
    }
}

void scarlet__unit_needs(const scarlet__unit *unit, int pictures, scarlet__scratch_sizes *sizes)
{
    switch (unit->kind) {
    case SCARLET__UNIT_ENTRY:
    case SCARLET__UNIT_BLOCK:
        scarlet__block_needs(unit, pictures, sizes);
        break;
    case SCARLET__UNIT_TAIL:
        scarlet__tail_needs(unit, pictures, sizes);
        break;
    default:
        scarlet__linear_needs(unit, sizes);
        break;
    }
}

void scarlet__unit_forward(const scarlet__unit *unit, const scarlet__pass *pass, const float *x,
                           float *kept, float *y)
{
    switch (unit->kind) {
    case SCARLET__UNIT_ENTRY:
    case SCARLET__UNIT_BLOCK:
        scarlet__block_forward(unit, pass, x, kept, y);
        break;
    case SCARLET__UNIT_TAIL:
        scarlet__tail_forward(unit, pass, x, kept, y);
        break;
    default:
        scarlet__linear_forward(unit, pass, x, y);
        break;
    }
}

void scarlet__unit_backward(const scarlet__unit *unit, const scarlet__pass *pass, const float *x,
                            float *kept, float *y_gradient, float *x_gradient)
{
    switch (unit->kind) {
    case SCARLET__UNIT_ENTRY:
    case SCARLET__UNIT_BLOCK:
        scarlet__block_backward(unit, pass, x, kept, y_gradient, x_gradient);
        break;
    case SCARLET__UNIT_TAIL:
        scarlet__tail_backward(unit, pass, x, kept, y_gradient, x_gradient);
        break;
    default:
        scarlet__linear_backward(unit, pass, x, y_gradient, x_gradient);
        break;
    }
}
