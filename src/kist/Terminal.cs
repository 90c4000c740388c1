namespace Kist.Cli;

/// <summary>
/// What goes where: standard output carries the result and nothing else; standard error speaks to people, in lines
/// "kist: …" in lower case without a full stop, and "hint: …" lines that say what to do.
/// </summary>
static class Terminal
{
    /// <summary>True if standard error is a terminal, so that progress and colour make sense there.</summary>
    public static bool ErrorIsTerminal { get; } = !Console.IsErrorRedirected;

    /// <summary>True if standard output is a terminal that wants colour (NO_COLOR is honoured).</summary>
    public static bool OutputHasColour { get; } =
        !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    public static void Error(string message) => Console.Error.WriteLine($"kist: {message}");

    public static void Note(string message) => Console.Error.WriteLine($"kist: {message}");

    public static void Hint(string message) => Console.Error.WriteLine($"hint: {message}");

    public static string Green(string text) => Paint(text, "32");

    public static string Red(string text) => Paint(text, "31");

    public static string Yellow(string text) => Paint(text, "33");

    public static string Bold(string text) => Paint(text, "1");

    public static string Dim(string text) => Paint(text, "2");

    private static string Paint(string text, string code) => OutputHasColour ? $"\e[{code}m{text}\e[0m" : text;
}
