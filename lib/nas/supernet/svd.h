/* Singular values and vectors of a square matrix. */
#ifndef SCARLET_NAS_SUPERNET_SVD_H
#define SCARLET_NAS_SUPERNET_SVD_H

/* matrix = U diag(s) V^T, all n x n and row-major: the columns of U and V are orthonormal (also
 * where singular values are 0), s descends. */
void scarlet__svd(const double *matrix, int n, double *u, double *s, double *v);

#endif
