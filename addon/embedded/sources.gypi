{
  'variables': {
    'embedded_sources': [
      'embedded/provider.cc',
    ],
  },
}
