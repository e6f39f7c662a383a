// Runs before the page is drawn: says that scripts work, so that nothing jumps afterwards.
document.documentElement.classList.add("js");
