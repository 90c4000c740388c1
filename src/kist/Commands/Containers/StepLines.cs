namespace Kist.Cli.Commands.Containers;

/// <summary>
/// Shows the steps of a start on standard error: each on a line of its own if asked, one changing line on a terminal, nothing
/// otherwise. Warnings are always shown.
/// </summary>
sealed class StepLines(bool verbose) : IProgress<string>
{
    private readonly bool _overwrite = !verbose && Terminal.ErrorIsTerminal;
    private int _width;

    public void Report(string value)
    {
        if (verbose || value.StartsWith("warning: ", StringComparison.Ordinal))
        {
            Terminal.Note(value);
            return;
        }

        if (!_overwrite)
            return;
        Console.Error.Write(value.Length == 0 ? $"\r{new string(' ', _width)}\r" : $"\r{value.PadRight(_width)}");
        _width = value.Length;
    }
}
