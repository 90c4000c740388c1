using System.Security.Cryptography;
using Kist.Formats;
using Kist.Simulator;

namespace Kist.Host;

/// <summary>
/// The simulated platform of this installation: a seed that is made once, from which its root, its keys and its
/// certificates follow. Whoever reads the seed can sign anything that the simulated platform can.
/// </summary>
public sealed class SimulatorStore(StateDirectory state)
{
    private const int SeedSize = 32;

    private string SeedFile => Path.Combine(state.Simulator, "seed");

    /// <summary>The simulated vendor; its seed is made if there is none.</summary>
    public SimulatedVendor LoadOrCreateVendor()
    {
        if (!File.Exists(SeedFile))
            AtomicFile.Write(SeedFile, RandomNumberGenerator.GetBytes(SeedSize));
        var seed = File.ReadAllBytes(SeedFile);
        try
        {
            return seed.Length == SeedSize
                ? SimulatedVendor.FromSeed(seed)
                : throw new MalformedDataException("simulator seed", seed.Length, $"{SeedFile} must be {SeedSize} bytes");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }
}
