# Lines "wnid<TAB>name" to C string literals.
s/["\\]/\\&/g
s/^[^\t]*\t\(.*\)$/"\1",/
