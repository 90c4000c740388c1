namespace Kist.Host.Tests;

/// <summary>A state directory of its own for one test, removed afterwards.</summary>
sealed class TemporaryState : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("kist-test-").FullName;

    public TemporaryState() => State = StateDirectory.Open(_path);

    public StateDirectory State { get; }

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
