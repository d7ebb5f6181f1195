// expect: ended
// compile: g++ -fsyntax-only -ftemplate-depth=100000
// Types that make types.
template <int N, class T> struct A { typename A<N - 1, A<N - 1, T>>::type a; using type = A<N - 1, T>; typename A<N - 1, int[N]>::type b; };
template <class T> struct A<0, T> { using type = T; };
A<90000, int> a;
