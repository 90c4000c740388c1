using System.Globalization;
using System.Net;
using Kist.Formats;

namespace Kist.Host;

/// <summary>The annotation that says which ports of a pod's programs are to be found in its network namespace: "8080,9090".</summary>
public static class PodPortNames
{
    /// <summary>Its name. It proves nothing: the guest's policy says which ports may be connected to.</summary>
    public const string Annotation = "org.kist.ports";

    private const int MaximumPorts = 64;

    /// <summary>Writes the annotation's value.</summary>
    public static string Write(IEnumerable<int> ports) =>
        string.Join(',', ports.Distinct().Order().Select(p => p.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Reads the annotation's value; null and empty say that there are none.</summary>
    /// <exception cref="OperationFailedException">It is no such text.</exception>
    public static IReadOnlyList<int> Read(string? text)
    {
        var ports = new List<int>();
        foreach (var entry in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!int.TryParse(entry, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is 0 or > IPEndPoint.MaxPort || ports.Count == MaximumPorts)
                throw new OperationFailedException("read annotation", Annotation, $"it is PORT,…, of at most {MaximumPorts} ports");
            ports.Add(port);
        }

        return ports;
    }
}
