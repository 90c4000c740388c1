using System.Diagnostics;
using System.Text;

namespace Kist.Shim.Tests;

public sealed record CtrResult(int ExitCode, string Output, string Error)
{
    public override string ToString() => $"exit {ExitCode}; stdout: {Output}; stderr: {Error}";
}

/// <summary>A running client.</summary>
public sealed class CtrProcess
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Process _process;
    private readonly StringBuilder _written = new();
    private readonly Task<string> _output, _error;

    public CtrProcess(string program, IEnumerable<string> arguments)
    {
        _process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        _output = CollectAsync(_process.StandardOutput);
        _error = _process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    /// <summary>What it has written until now.</summary>
    public string OutputSoFar
    {
        get
        {
            lock (_written)
                return _written.ToString();
        }
    }

    /// <summary>Ends it.</summary>
    public void Kill() => _process.Kill();

    public void Type(string text)
    {
        _process.StandardInput.Write(text);
        _process.StandardInput.Flush();
    }

    public CtrResult Finish()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(Patience))
            _process.Kill();
        _process.WaitForExit();
        using (_process)
            return new CtrResult(_process.ExitCode, _output.Result, _error.Result);
    }

    private async Task<string> CollectAsync(StreamReader reader)
    {
        var buffer = new char[4096];
        for (int count; (count = await reader.ReadAsync(buffer)) > 0;)
        {
            lock (_written)
                _written.Append(buffer, 0, count);
        }

        return OutputSoFar;
    }
}
