using Kist.Formats;

namespace Kist.Pods.Guest;

/// <summary>The modules of a kernel package: finds what given ones need, in an order in which they can be loaded.</summary>
/// <param name="modules">Files by path, such as "kernel/drivers/virtio/virtio_pci.ko".</param>
/// <param name="builtIn">The text of modules.builtin.</param>
sealed class KernelModuleSet(IReadOnlyDictionary<string, byte[]> modules, string builtIn)
{
    private readonly Dictionary<string, (string Path, byte[] Content)> _byName = modules.ToDictionary(
        m => NameOf(m.Key), m => (m.Key, m.Value), StringComparer.Ordinal);

    private readonly HashSet<string> _builtIn = [.. builtIn.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(NameOf)];

    /// <summary>True if the kernel has it, as a module or within itself.</summary>
    public bool Has(string name) => _byName.ContainsKey(Normalize(name)) || _builtIn.Contains(Normalize(name));

    /// <summary>The named modules and all that they depend on, each after what it depends on; what is built in is left out.</summary>
    public IReadOnlyList<(string Name, byte[] Content)> Resolve(IEnumerable<string> names)
    {
        var resolved = new List<(string, byte[])>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in names)
            Visit(Normalize(name));
        return resolved;

        void Visit(string name)
        {
            if (!seen.Add(name) || _builtIn.Contains(name))
                return;
            if (!_byName.TryGetValue(name, out var module))
                throw new OperationFailedException("collect kernel modules", name, "the kernel package has no such module");
            foreach (var needed in ElfFile.Parse(module.Content, module.Path).ModuleInfo("depends").SelectMany(d => d.Split(',', StringSplitOptions.RemoveEmptyEntries)))
                Visit(Normalize(needed));
            resolved.Add((name, module.Content));
        }
    }

    private static string NameOf(string path) => Normalize(Path.GetFileNameWithoutExtension(path));

    private static string Normalize(string name) => name.Replace('-', '_');
}
