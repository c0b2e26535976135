/** The page /redoc: ReDoc over the API's own document. */
window.Redoc.init(
  '/openapi.json',
  {
    hideDownloadButton: false,
    requiredPropsFirst: true,
    sortPropsAlphabetically: false,
    // The fonts of the system: its own come from servers of others.
    theme: {
      typography: { fontFamily: 'system-ui, sans-serif', headings: { fontFamily: 'system-ui, sans-serif' } },
    },
  },
  document.getElementById('document'),
)
