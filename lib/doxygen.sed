# Makes the public header's comments into doxygen's.
1s|^/\*|/** @file|
# behind code, before code; banners stay
/=====/b
s|([^ ] *)/\* |\1/**< |
s|^( *)/\*( .*)?$|\1/**\2|
# "name    what it is", in a function's comment
s|^ \* ([a-z_]+) {2,}(.*)| * @param \1 \2|
