// Before anything is painted: the theme that was chosen the last time.
try {
  const theme = localStorage.getItem("nexus-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // storage may be forbidden; then the system's theme it is
}
